import ChunkStore
import NIOCore
import AsyncHTTPClient
