// Package synthetic serves images of one layer that is as large as one likes and stands nowhere.
package synthetic

import (
	"encoding/binary"
	"errors"
	"io"
	"math/rand/v2"
)

const blockSize = 1 << 16

// layer is a body of a given size: blocks that are all different and do not compress.
type layer struct {
	size, offset int64
	block        []byte
}

func newLayer(size int64) *layer {
	block := make([]byte, blockSize)
	source := rand.New(rand.NewPCG(3, 141592))
	for i := 0; i < len(block); i += 8 {
		binary.LittleEndian.PutUint64(block[i:], source.Uint64())
	}
	return &layer{size: size, block: block}
}

func (l *layer) Read(p []byte) (int, error) {
	if l.offset >= l.size {
		return 0, io.EOF
	}
	written := 0
	for written < len(p) && l.offset < l.size {
		within := int(l.offset % blockSize)
		// Each block begins with its own number.
		binary.LittleEndian.PutUint64(l.block, uint64(l.offset/blockSize))
		end := min(blockSize, within+int(min(int64(len(p)-written), l.size-l.offset)))
		n := copy(p[written:], l.block[within:end])
		written += n
		l.offset += int64(n)
	}
	return written, nil
}

func (l *layer) Seek(offset int64, whence int) (int64, error) {
	switch whence {
	case io.SeekCurrent:
		offset += l.offset
	case io.SeekEnd:
		offset += l.size
	}
	if offset < 0 {
		return 0, errors.New("seek before the beginning")
	}
	l.offset = offset
	return offset, nil
}
