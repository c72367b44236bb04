import WireChecks

/// One execution, as libFuzzer calls it.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ bytes: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    WireTarget.run(.exchange, bytes, count)
}
