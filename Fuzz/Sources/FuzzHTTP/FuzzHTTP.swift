import FrontHTTP

/// One execution, as libFuzzer calls it.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ bytes: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    FrontFuzz.run(UnsafeRawBufferPointer(start: bytes, count: count))
    return 0
}
