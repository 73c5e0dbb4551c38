internal import CKernels

/// The vector instructions of a processor that OpenBLAS's kernels for x86-64 need.
package struct ProcessorFeatures: OptionSet, Sendable {
  package let rawValue: Int32

  package init(rawValue: Int32) { self.rawValue = rawValue }

  package static let avx = Self(rawValue: Int32(CK_AVX))
  /// Only AMD's processors from Bulldozer to Excavator have it.
  package static let fma4 = Self(rawValue: Int32(CK_FMA4))
  /// The level x86-64-v3: AVX2 and FMA among others.
  package static let avx2 = Self(rawValue: Int32(CK_X86_64_V3))
  /// The level x86-64-v4: AVX-512 F, BW, CD, DQ and VL.
  package static let avx512 = Self(rawValue: Int32(CK_X86_64_V4))

  /// Those of the processor that runs this.
  package static var current: Self { Self(rawValue: ck_processor_features()) }

  /// What the kernel set of this name needs beyond x86-64 itself; nothing for names of other architectures.
  package static func needed(byKernels name: String) -> Self {
    switch name.lowercased() {
    case "skylakex", "cooperlake", "sapphirerapids": .avx512
    case "haswell", "zen": .avx2
    case "bulldozer", "piledriver", "steamroller", "excavator": .fma4
    case "sandybridge": .avx
    default: []
    }
  }
}
