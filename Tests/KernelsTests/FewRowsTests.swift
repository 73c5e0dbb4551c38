import CKernelsVariants
import Kernels
import Testing

@Suite("Products of few rows")
struct FewRowsTests {
  private func numbers(_ count: Int, _ seed: Int) -> [Float] {
    (0..<count).map { Float(($0 * 7919 + seed * 104_729) % 211 - 105) / 100 }
  }

  private func product(
    _ x: [Float], _ w: [Float], _ bias: [Float]?, _ rows: Int, _ inputs: Int, _ outputs: Int,
    _ run: (
      UnsafeMutablePointer<Float>, UnsafePointer<Float>, UnsafePointer<Float>, UnsafePointer<Float>?
    ) -> Void
  ) -> [Float] {
    var y = [Float](repeating: .nan, count: rows * outputs)
    y.withUnsafeMutableBufferPointer { y in
      x.withUnsafeBufferPointer { x in
        w.withUnsafeBufferPointer { w in
          guard let y = y.baseAddress, let x = x.baseAddress, let w = w.baseAddress else { return }
          if let bias {
            bias.withUnsafeBufferPointer { run(y, x, w, $0.baseAddress) }
          } else {
            run(y, x, w, nil)
          }
        }
      }
    }
    return y
  }

  @Test(
    "equal to sums in Double, whatever is left over at the edges",
    arguments: [1, 2, 5, 7, 13, 64], [1, 15, 16, 33, 384])
  func sums(rows: Int, inputs: Int) {
    for (outputs, hasBias) in [(1, true), (3, false), (9, true), (1100, false)] {
      let (x, w) = (numbers(rows * inputs, 1), numbers(outputs * inputs, 2))
      let bias = hasBias ? numbers(outputs, 3) : nil
      let results = [1, 2, 3].map { count in
        product(x, w, bias, rows, inputs, outputs) { y, x, w, bias in
          let team = Team(Workers(count: count))
          team.together {
            FewRows.linear(
              y: y, x: x, weight: w, bias: bias, rows: rows, inputs: inputs, outputs: outputs,
              team: team)
          }
        }
      }
      #expect(results[1] == results[0] && results[2] == results[0])
      for row in 0..<rows {
        for column in 0..<outputs {
          var exact = Double(bias?[column] ?? 0)
          for k in 0..<inputs {
            exact += Double(x[row * inputs + k]) * Double(w[column * inputs + k])
          }
          let place = row * outputs + column
          #expect(abs(Double(results[0][place]) - exact) < 1e-4)
        }
      }
    }
  }

  // 23 rows: with any processor's tiles there are whole ones, halves and single rows.
  @Test("a row's result doesn't depend on the rows beside it, on any processor")
  func alone() {
    let (inputs, outputs) = (130, 50)
    let (x, w) = (numbers(23 * inputs, 1), numbers(outputs * inputs, 2))
    for (name, kernels) in KernelVariants.all {
      func products(_ x: [Float], rows: Int) -> [Float] {
        var y = [Float](repeating: .nan, count: rows * outputs)
        kernels.small_product(&y, outputs, x, w, nil, rows, outputs, inputs)
        return y
      }
      let all = products(x, rows: 23)
      for row in 0..<23 {
        let own = products(Array(x[(row * inputs)..<((row + 1) * inputs)]), rows: 1)
        #expect(own == Array(all[(row * outputs)..<((row + 1) * outputs)]), "row \(row), \(name)")
      }
    }
  }
}
