import Checkpoints
import EncoderModel
import Foundation
import Testing

@Suite("Training state")
struct TrainingStateTests {
  private struct Progress: Codable, Equatable {
    var step: Int
    var loss: Double
    var name: String
  }

  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func store(_ start: Float, rows: Int = 2) -> ParameterStore<Float> {
    var table = ParameterTable()
    _ = table.declare("a.weight", rows, 3)
    _ = table.declare("a.bias", 3)
    let store = ParameterStore<Float>(table)
    for i in 0..<store.count { store.base[i] = start + Float(i) }
    return store
  }

  @Test("all sections and the record come back, bit for bit")
  func roundTrip() throws {
    let url = folder.file("state.safetensors")
    let progress = Progress(step: 7, loss: 0.1, name: "\"\u{e9}\n")
    let (weights, moment) = (store(0.5), store(-.pi))
    moment.base[0] = .leastNonzeroMagnitude
    try TrainingState.write(
      progress, sections: [.init("parameters", weights), .init("first", moment)], to: url)
    let (weightsBack, momentBack) = (store(0), store(0))
    let back = try TrainingState.read(
      Progress.self, sections: [.init("parameters", weightsBack), .init("first", momentBack)],
      from: url)
    #expect(back == progress)
    #expect(weightsBack.values.elementsEqual(weights.values))
    #expect(momentBack.values.elementsEqual(moment.values))
    #expect(try TrainingState.readProgress(Progress.self, from: url) == progress)
    #expect(try folder.names() == ["state.safetensors"])
  }

  @Test("another table is refused by its first difference, and no store is touched")
  func mismatch() throws {
    let url = folder.file("state.safetensors")
    let progress = Progress(step: 7, loss: 0.1, name: "")
    try TrainingState.write(progress, sections: [.init("parameters", store(1))], to: url)
    func refusal(_ sections: [TrainingState.Section]) -> String {
      do {
        _ = try TrainingState.read(Progress.self, sections: sections, from: url)
        return "no error"
      } catch {
        return "\(error)"
      }
    }
    let wide = store(5, rows: 4)
    #expect(refusal([.init("parameters", wide)]).contains("[2, 3], the model's [4, 3]"))
    #expect(wide.base[0] == 5)
    #expect(refusal([.init("first", store(0))]).contains("first/a.weight"))
    #expect(refusal([]).contains("parameters/a.weight"))
  }

  @Test("a file that isn't a state, and a record of another form, are refused")
  func otherFiles() throws {
    let model = Goldens.directory("mlm").appendingPathComponent("model.safetensors")
    #expect(throws: CheckpointError.self) {
      try TrainingState.readProgress(Progress.self, from: model)
    }
    let url = folder.file("state.safetensors")
    try TrainingState.write(["x": 1], sections: [], to: url)
    #expect(throws: CheckpointError.self) {
      try TrainingState.readProgress(Progress.self, from: url)
    }
  }
}
