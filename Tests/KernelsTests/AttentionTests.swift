import Kernels
import TestSupport
import Testing

@Suite struct AttentionTests {
  init() { BLAS.useSingleThread() }

  /// One batch of packed sequences and both passes over it.
  struct Batch<S: KernelScalar> {
    var offsets: [Int32]
    var heads = 2
    var headSize = 4
    var dropout: Dropout?

    var rows: Int { Int(offsets.last ?? 0) }
    var width: Int { heads * headSize }

    func forward(_ qkv: [S]) -> (context: [S], probabilities: [S]) {
      offsets.withUnsafeBufferPointer { offsets in
        let count = Attention.probabilityCount(offsets: offsets, heads: heads)
        var (context, probabilities): ([S], [S]) = (zeros(rows * width), zeros(count))
        Attention.forward(
          context: &context, probabilities: &probabilities, qkv: qkv, offsets: offsets,
          heads: heads, headSize: headSize, dropout: dropout)
        return (context, probabilities)
      }
    }

    func backward(_ qkv: [S], dContext: [S]) -> [S] {
      let probabilities = forward(qkv).probabilities
      return offsets.withUnsafeBufferPointer { offsets in
        var scratch: [S] = zeros(Attention.scratchCount(offsets: offsets))
        var dQKV = [S](repeating: .nan, count: qkv.count)
        Attention.backward(
          dQKV: &dQKV, dContext: dContext, probabilities: probabilities, qkv: qkv,
          scratch: &scratch, offsets: offsets, heads: heads, headSize: headSize, dropout: dropout)
        return dQKV
      }
    }
  }

  @Test func sizes() {
    let offsets: [Int32] = [0, 3, 3, 8]
    offsets.withUnsafeBufferPointer {
      #expect(Attention.probabilityCount(offsets: $0, heads: 4) == (9 + 25) * 4)
      #expect(Attention.scratchCount(offsets: $0) == 25)
    }
    [Int32]().withUnsafeBufferPointer {
      #expect(Attention.probabilityCount(offsets: $0, heads: 4) == 0)
      #expect(Attention.scratchCount(offsets: $0) == 0)
    }
  }

  @Test(arguments: [nil, Dropout(rate: 0.3, key: 5)])
  func gradients(dropout: Dropout?) {
    let batch = Batch<Double>(offsets: [0, 4, 4, 5, 8], dropout: dropout)
    let qkv = randomVector(batch.rows * 3 * batch.width, seed: 1)
    let dContext = randomVector(batch.rows * batch.width, seed: 2)
    GradientCheck().expect(
      "qkv", input: qkv, gradient: batch.backward(qkv, dContext: dContext)
    ) { GradientCheck.project(batch.forward($0).context, on: dContext) }
  }

  @Test func agreesWithPyTorch() throws {
    let golden = try KernelGolden.load("attention")
    let (context, dQKV) = try (golden.array("context"), golden.array("dQKV"))
    let wide = Batch<Double>(offsets: [0, 5, 8])
    let qkv = try golden.array("qkv")
    expectClose(wide.forward(qkv).context, context, absolute: 1e-12, "context in Double")
    expectClose(
      wide.backward(qkv, dContext: try golden.array("dContext")), dQKV, absolute: 1e-12,
      "dQKV in Double")
    let narrow = Batch<Float>(offsets: [0, 5, 8])
    expectClose(
      narrow.forward(qkv.floats).context.doubles, context, absolute: 1e-6, relative: 1e-6,
      "context in Float")
    expectClose(
      narrow.backward(qkv.floats, dContext: try golden.floats("dContext")).doubles, dQKV,
      absolute: 2e-6, relative: 2e-6, "dQKV in Float")
  }

  @Test(arguments: [[0, 1], [0, 7, 20], [0, 33, 34, 50], [0, 70]] as [[Int32]])
  func floatAgreesWithDouble(offsets: [Int32]) {
    let dropout = Dropout(rate: 0.1, key: 11)
    let narrow = Batch<Float>(offsets: offsets, heads: 3, headSize: 16, dropout: dropout)
    let wide = Batch<Double>(offsets: offsets, heads: 3, headSize: 16, dropout: dropout)
    let qkv = randomFloats(narrow.rows * 3 * narrow.width, seed: 3, scale: 2)
    let dContext = randomFloats(narrow.rows * narrow.width, seed: 4)
    expectClose(
      narrow.forward(qkv).context.doubles, wide.forward(qkv.doubles).context, absolute: 4e-6,
      relative: 4e-6, "context")
    expectClose(
      narrow.backward(qkv, dContext: dContext).doubles,
      wide.backward(qkv.doubles, dContext: dContext.doubles), absolute: 1e-5, relative: 1e-5,
      "dQKV")
  }

  @Test func packedEqualsOneByOne() {
    let offsets: [Int32] = [0, 9, 10, 27, 31]
    let packed = Batch<Float>(offsets: offsets, heads: 4, headSize: 8)
    let qkv = randomFloats(packed.rows * 3 * packed.width, seed: 5)
    let dContext = randomFloats(packed.rows * packed.width, seed: 6)
    let context = packed.forward(qkv).context
    let dQKV = packed.backward(qkv, dContext: dContext)
    for s in 0..<4 {
      let rows = Int(offsets[s])..<Int(offsets[s + 1])
      func part(_ array: [Float], _ width: Int) -> [Float] {
        Array(array[rows.lowerBound * width..<rows.upperBound * width])
      }
      let single = Batch<Float>(offsets: [0, Int32(rows.count)], heads: 4, headSize: 8)
      let alone = part(qkv, 3 * packed.width)
      #expect(single.forward(alone).context == part(context, packed.width), "sequence \(s)")
      #expect(
        single.backward(alone, dContext: part(dContext, packed.width))
          == part(dQKV, 3 * packed.width), "gradient of sequence \(s)")
    }
  }

  @Test func keptProbabilitiesAreThoseBeforeDropout() {
    let plain = Batch<Float>(offsets: [0, 6])
    let masked = Batch<Float>(offsets: [0, 6], dropout: Dropout(rate: 0.5, key: 3))
    let qkv = randomFloats(plain.rows * 3 * plain.width, seed: 7)
    #expect(plain.forward(qkv).probabilities == masked.forward(qkv).probabilities)
    #expect(plain.forward(qkv).context != masked.forward(qkv).context)
  }
}
