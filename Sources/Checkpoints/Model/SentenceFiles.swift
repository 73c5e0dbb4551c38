import EncoderModel
import Foundation
import Tokenization

/// Reads and writes the sentence-transformers files of a directory.
///
/// Read are both layouts, that of versions 2 to 5 and that of version 6; written is the older one,
/// which all versions and text-embeddings-inference know.
enum SentenceFiles {
  /// What a directory says, with sentence-transformers' defaults for what it doesn't.
  struct Contents {
    var settings: SentenceSettings
    /// The folder of the Transformer module, where config.json and the weights are.
    var modelFolder: URL
    /// Whether texts are lowercased whatever the tokenizer says.
    var lowercasesText: Bool
  }

  /// Where the Transformer module is: `""` in most directories, `0_Transformer` in old ones.
  static func read(_ directory: URL) throws -> Contents {
    let modulesFile = directory.appendingPathComponent("modules.json")
    // Without modules.json sentence-transformers takes the mean and doesn't normalise.
    var contents = Contents(
      settings: SentenceSettings(normalize: false, maximumLength: 0), modelFolder: directory,
      lowercasesText: false)
    if let modules = try modules(modulesFile) {
      try read(modules, of: directory, file: modulesFile, into: &contents)
    }
    // Nor does it look into sentence_bert_config.json then.
    let transformer = try TransformerFile.read(
      contents.modelFolder, isNamed: FileSystem.exists(modulesFile))
    contents.lowercasesText = transformer.lowercasesText
    contents.settings.maximumLength = transformer.maximumLength
    try readPrompts(directory, into: &contents.settings)
    return contents
  }

  /// Transformer, Pooling, any number of Dense, then perhaps Normalize; Dropout does nothing here.
  private static func read(
    _ modules: [(type: String, path: String)], of directory: URL, file: URL,
    into contents: inout Contents
  ) throws {
    let order = ["Transformer", "Pooling", "Dense", "Normalize"]
    func refuse(_ what: String, _ type: String) -> CheckpointError {
      CheckpointError(
        what, path: file.path, item: type,
        advice: "use a model of Transformer, Pooling, Dense and Normalize, in this order")
    }
    var last = -1
    for module in modules {
      let folder = try subfolder(module.path, of: directory, file: file)
      // `sentence_transformers.models.Pooling` and version 6's path of it both end in the class.
      let name = String(module.type.split(separator: ".").last ?? "")
      guard module.type.hasPrefix("sentence_transformers."), name != "Dropout" else {
        if name == "Dropout" { continue }
        throw refuse("the module is code of the model's own, which isn't run", module.type)
      }
      guard let place = order.firstIndex(of: name) else {
        throw refuse("the module isn't supported", module.type)
      }
      guard place == last + 1 || (place > last && last > 0) || (name == "Dense" && place == last)
      else { throw refuse("the module stands in another order than is supported", module.type) }
      last = place
      switch name {
      case "Transformer": contents.modelFolder = folder
      case "Pooling": try PoolingFile.read(folder, into: &contents.settings)
      case "Dense": contents.settings.projections.append(try DenseFile.read(folder))
      default: contents.settings.normalize = true
      }
    }
    guard last > 0 else {
      throw refuse("there is no Pooling module, so a text gets no vector", "Pooling")
    }
  }

  private static func modules(_ url: URL) throws -> [(type: String, path: String)]? {
    guard let file = try JSONFile.ifPresent(url) else { return nil }
    guard let list = file.root.arrayValue else {
      throw CheckpointError(
        "the modules aren't a list", path: url.path, advice: "correct the file")
    }
    return try list.map { module in
      guard let type = module["type"]?.stringValue else {
        throw CheckpointError(
          "a module has no type", path: url.path, item: "type", advice: "correct the file")
      }
      guard let path = module["path"]?.stringValue else {
        throw CheckpointError(
          "a module's path isn't a string", path: url.path, item: type, advice: "correct the file")
      }
      return (type, path)
    }
  }

  private static func readPrompts(_ directory: URL, into settings: inout SentenceSettings) throws {
    let file = directory.appendingPathComponent("config_sentence_transformers.json")
    guard let saved = try JSONFile.ifPresent(file) else { return }
    if let kind = try saved.string("model_type"), kind != "SentenceTransformer" {
      throw CheckpointError(
        "a \(kind) isn't supported, as it doesn't give one dense vector a text", path: file.path,
        item: "model_type", advice: "use a SentenceTransformer")
    }
    if let kept = try saved.integer("truncate_dim") {
      guard kept > 0 else {
        throw CheckpointError(
          "truncate_dim is \(kept)", path: file.path, item: "truncate_dim",
          advice: "give the number of values to keep, or null")
      }
      settings.keptValues = kept
    }
    settings.prompts = try (saved.stringPairs("prompts") ?? []).map {
      SentenceSettings.Prompt(name: $0.key, text: $0.value)
    }
    settings.defaultPromptName = try saved.string("default_prompt_name")
    if let name = settings.defaultPromptName, settings.prompt(named: name) == nil {
      throw CheckpointError(
        "default_prompt_name is none of the prompts", path: file.path, item: name,
        advice: "name one of the prompts, or null")
    }
  }

  /// A module's folder; the path comes from an untrusted file and may not leave the directory.
  private static func subfolder(_ path: String, of directory: URL, file: URL) throws -> URL {
    if path.isEmpty { return directory }
    let parts = path.split(separator: "/", omittingEmptySubsequences: false)
    guard !parts.contains(where: { $0.isEmpty || $0 == ".." || $0.contains("\0") }) else {
      throw CheckpointError(
        "the path leaves the folder of the model", path: file.path, item: path,
        advice: "use paths below the folder")
    }
    return directory.appendingPathComponent(path, isDirectory: true)
  }

  /// Writes the files into a directory and returns their names; Dense weights have elements of `type`.
  static func write(
    _ settings: SentenceSettings, width: Int, type: TensorType, to directory: URL
  ) throws -> [String] {
    var names = [
      "modules.json", "config_sentence_transformers.json", TransformerFile.name, PoolingFile.name,
    ]
    var modules = [("", "Transformer"), ("1_Pooling", "Pooling")]
    for projection in settings.projections {
      let folder = "\(modules.count)_Dense"
      names += try DenseFile.write(projection, folder: folder, type: type, to: directory)
      modules.append((folder, "Dense"))
    }
    if settings.normalize { modules.append(("\(modules.count)_Normalize", "Normalize")) }
    let list = modules.enumerated().map { index, module -> JSONValue in
      [
        "idx": .integer(Int64(index)), "name": .string("\(index)"), "path": .string(module.0),
        "type": .string("sentence_transformers.models.\(module.1)"),
      ]
    }
    try JSONFile.write(.array(list), "modules.json", in: directory)
    let prompts = settings.prompts.map { JSONMember($0.name, .string($0.text)) }
    // Low versions keep files from looking "created with a newer version" to any reader.
    let sentence: JSONValue = [
      "__version__": [
        "sentence_transformers": "2.2.0", "transformers": "4.30.0", "pytorch": "2.0.0",
      ],
      "prompts": .object(prompts),
      "default_prompt_name": settings.defaultPromptName.map { .string($0) } ?? .null,
      "similarity_fn_name": "cosine",
    ]
    let kept = settings.keptValues.map { [JSONMember("truncate_dim", .integer(Int64($0)))] } ?? []
    try JSONFile.write(
      .object((sentence.objectValue ?? []) + kept), "config_sentence_transformers.json",
      in: directory)
    try JSONFile.write(
      ["max_seq_length": .integer(Int64(settings.maximumLength)), "do_lower_case": false],
      TransformerFile.name, in: directory)
    try PoolingFile.write(settings, width: width, to: directory)
    return names
  }
}
