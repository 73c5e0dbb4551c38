import Kernels
import Testing

@Suite("A notice where the environment slows the program down")
struct KernelNoticeTests {
  private let wide: ProcessorFeatures = [.avx, .avx2, .avx512]
  private let narrow: ProcessorFeatures = [.avx, .avx2]

  @Test("said only where the variable is set, the kernels are narrow and the processor is wide")
  func conditions() throws {
    func notice(_ coreType: String?, _ chosen: String, _ processor: ProcessorFeatures) -> String? {
      KernelNotice.text(coreType: coreType, chosen: chosen, processor: processor)
    }
    let text = try #require(notice("Haswell", "Haswell", wide))
    #expect(text.contains("OPENBLAS_CORETYPE=Haswell"))
    #expect(notice(nil, "Haswell", wide) == nil)
    #expect(notice("SkylakeX", "SkylakeX", wide) == nil)
    #expect(notice("Haswell", "Haswell", narrow) == nil)
    #expect(notice("Haswell", "Haswell", []) == nil)
  }
}
