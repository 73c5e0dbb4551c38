import Foundation
import Kernels
import Testing

@Suite("Kernels of OpenBLAS whose instructions the processor doesn't have")
struct UnusableKernelsTests {
  private let wide: ProcessorFeatures = [.avx, .avx2, .avx512]
  private let narrow: ProcessorFeatures = [.avx, .avx2]

  @Test(
    "kernels that the processor can't run are an error",
    arguments: [
      ("SkylakeX", false), ("Cooperlake", false), ("SapphireRapids", false), ("Excavator", false),
      ("Haswell", true), ("Zen", true), ("Sandybridge", true), ("Prescott", true),
      ("neoversen1", true),
    ])
  func unusable(name: String, runs: Bool) throws {
    if runs {
      try BLAS.requireUsable(kernels: name, processor: narrow)
    } else {
      let error = #expect(throws: UnusableKernels.self) {
        try BLAS.requireUsable(kernels: name, processor: narrow)
      }
      #expect(error?.description.contains(name) == true)
    }
    if name == "SkylakeX" { try BLAS.requireUsable(kernels: name, processor: wide) }
  }

  @Test("the features read here are those of the operating system's list")
  func current() throws {
    let flags = try #require(
      try String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8).split(separator: "\n")
        .first { $0.hasPrefix("flags") || $0.hasPrefix("Features") })
    let names = Set(flags.split(separator: " "))
    let processor = ProcessorFeatures.current
    #expect(processor.contains(.avx) == names.contains("avx"))
    #expect(processor.contains(.avx2) == names.isSuperset(of: ["avx2", "fma", "bmi2"]))
    #expect(
      processor.contains(.avx512)
        == names.isSuperset(of: ["avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"]))
  }
}
