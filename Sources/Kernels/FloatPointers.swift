// Generic kernels send Float to the C loops: `S.self == Float.self` is decided per call, and these
// views give the same memory its concrete type.

extension UnsafePointer {
  /// The same address as Float memory; only for `Pointee == Float`.
  @inline(__always)
  var floats: UnsafePointer<Float> { UnsafeRawPointer(self).assumingMemoryBound(to: Float.self) }
}

extension UnsafeMutablePointer {
  /// The same address as Float memory; only for `Pointee == Float`.
  @inline(__always)
  var floats: UnsafeMutablePointer<Float> {
    UnsafeMutableRawPointer(self).assumingMemoryBound(to: Float.self)
  }
}
