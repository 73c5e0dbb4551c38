import ArgumentParser
import Kernels

/// Times single kernels on one core beside what the processor can do.
struct KernelsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "kernels",
    abstract: "Times each kernel on one core against measured sgemm and memory speed.",
    discussion: """
      Element-wise kernels in GB/s of memory read and written, products in GFLOP/s. What fits into \
      the processor's caches may be faster than the copy.
      """)

  @Option(help: "Rows (tokens) of a call.") var rows = 2048
  @Option(help: "Width of the hidden states.") var width = 256
  @Option(help: "Measurements of each; the best counts.") var repeats = 20

  func validate() throws {
    guard rows >= 128, width >= 64, width % 64 == 0, repeats > 0 else {
      throw ValidationError("--rows of 128 or more, a --width that 64 divides, --repeats above 0")
    }
  }

  func run() {
    print("OpenBLAS kernels: \(BLAS.coreName)")
    let kernels = KernelBench(rows: rows, width: width, repeats: repeats)
    print(KernelFigure(name: "copy (ceiling)", value: kernels.copy, unit: "GB/s").line)
    let kinds = [
      kernels.products, kernels.fewRows, kernels.vectors, kernels.factorisations,
      kernels.activations, kernels.elements, kernels.reductions, kernels.optimizer,
      kernels.normalizations, kernels.softmaxes, kernels.embeddings, kernels.selections,
      kernels.sparseLanes, kernels.sharing,
    ]
    for kind in kinds {
      for figure in kind() { print(figure.line) }
    }
  }
}

/// A number with a fixed count of decimals.
func fixed(_ value: Double, _ decimals: Int) -> String {
  var scale = 1.0
  for _ in 0..<decimals { scale *= 10 }
  let whole = Int((value * scale).rounded())
  guard decimals > 0 else { return String(whole) }
  let digits = String(abs(whole))
  let filled = String(repeating: "0", count: max(0, decimals + 1 - digits.count)) + digits
  return (whole < 0 ? "-" : "") + filled.dropLast(decimals) + "." + filled.suffix(decimals)
}
