import ArgumentParser
import Checkpoints
import EncoderModel
import Foundation
import Recommendation

/// `encoder export`: a model's directory -> one that Hugging Face's libraries read.
struct ExportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "export",
    abstract: "Writes a model for transformers, sentence-transformers and ONNX Runtime.",
    discussion: """
      DIR is a pretrained model, any BERT directory, or a fine-tuned model, of which its encoder is \
      written. The output loads in AutoModel, AutoTokenizer and SentenceTransformer, in the layout \
      that text-embeddings-inference documents. --onnx adds onnx/model.onnx: encoder, pooling and \
      normalisation in one graph. Adapters are left out unless --merge is given: it folds LoRA, (IA)3, \
      BitFit and full fine-tuning into the weights; bottleneck adapters can't be folded, they become part \
      of the ONNX graph, and the output then holds that alone.
      """)

  @Argument(help: "The model's directory.")
  var directory: String

  @Option(help: "Where the exported model goes.")
  var output: String

  @Option(help: "Element type of the weights: f32, f16 or bf16.")
  var dtype: ExportType = .f32

  @Flag(help: "Write onnx/model.onnx too.")
  var onnx = false

  @OptionGroup var adapters: AdapterOptions

  @Flag(help: "Fold adapters, a fine-tuned model's or those of --adapter, into what is written.")
  var merge = false

  @Flag(help: "No notices on standard error.")
  var quiet = false

  func validate() throws {
    guard adapters.adapter.isEmpty || merge else {
      throw ValidationError("--adapter needs --merge: without it adapters are left out.")
    }
  }

  func run() throws {
    let display = ProgressDisplay(quiet: quiet, json: false)
    let source = URL(fileURLWithPath: directory)
    let target = URL(fileURLWithPath: output)
    guard source.standardizedFileURL.path != target.standardizedFileURL.path else {
      throw CLIError(
        "the output is the model itself: --output \(output); choose another folder")
    }
    try OutputCheck.directory(target)
    PendingFile.removeLeftovers(in: target)
    let exported = try ExportSource(
      source, adapters: adapters, merges: merge, hasGraph: onnx, display: display)
    try exported.model.write(
      to: target, product: exported.product, weights: exported.weights, type: dtype.elements,
      graph: onnx ? .init(adapters: exported.graphAdapters) : nil,
      modelCard: ExportCard(
        exported, name: target.lastPathComponent, type: dtype, hasGraph: onnx
      ).text,
      metadata: [("exported_by", "encoder \(EncoderCommand.configuration.version)")])
    for notice in exported.notices { display.line("notice: \(notice)") }
    display.line("wrote \(exported.summary) as \(dtype.rawValue) to \(target.path)")
    display.close()
  }
}

/// Element types under the names that the command takes.
enum ExportType: String, ExpressibleByArgument, CaseIterable {
  case f32, f16, bf16

  var elements: TensorType {
    switch self {
    case .f32: .float32
    case .f16: .float16
    case .bf16: .bfloat16
    }
  }
}
