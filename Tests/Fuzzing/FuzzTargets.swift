import Checkpoints
import Datasets
package import Foundation
import Kernels
import Recommendation
import Tokenization

extension FuzzTarget {
  /// All readers of files from outside.
  ///
  /// - Parameters:
  ///   - goldens: Tests/Goldens, which has the small models.
  ///   - scratch: a folder that may be made and filled; what is there from an earlier call is used again.
  package static func all(goldens: URL, scratch: URL) throws -> [FuzzTarget] {
    BLAS.useSingleThread()
    var targets = [behaviors, items, texts, json, safetensors, vectors]
    targets.append(try vocabulary(goldens))
    targets += try models(goldens)
    targets += try adapters(goldens)
    targets.append(try dense(goldens, in: scratch.appendingPathComponent("dense")))
    targets.append(try recommender(in: scratch.appendingPathComponent("recommender")))
    return targets
  }

  private static func seeds(_ files: [(String, String)]) -> [(name: String, bytes: [UInt8])] {
    files.map { ($0.0, Array($0.1.utf8)) }
  }

  private static func options(_ url: URL) -> TableOptions {
    var options = TableOptions()
    options.skipBadRows = url.lastPathComponent.hasPrefix("skip")
    return options
  }

  private static let behaviors = FuzzTarget(
    "behaviors",
    seeds: seeds([
      (
        "b.csv",
        "user_id,item_id,label,timestamp\nu,\"a,\"\"b\",2.5,10\r\nv,b,,2011-12-09T12:50:00Z\n"
      ),
      ("skip.csv", "userId,movieId,rating,timestamp\n1,2,3.5,4\n1,3,x,4\n2,2\n"),
      ("b.tsv", "user\titem\tlabel\nu\t\"a\"\t1\nv\tb\t0\n"),
      ("b.inter", "user_id:token\titem_id:token\trating:float\n1\t2\t3\n"),
      ("u.data", "196\t242\t3\t881250949\n186\t302\t3\t891717742\n"),
      ("ratings.dat", "1::1193::5::978300760\n1::661::3::978302109\n"),
      (
        "behaviors.tsv",
        "1\tU1\t11/15/2019 8:55:22 AM\tN1 N2\tN3-1 N4-0\n2\tU2\t11/15/2019 12:01:02 PM\t\tN4-1\n"
      ),
      (
        "skip.jsonl",
        "{\"overall\": 5.0, \"reviewerID\": \"A\", \"asin\": \"B\", \"unixReviewTime\": 1}\n"
          + "{\"overall\": 3, \"reviewerID\": \"C\", \"asin\": \"D\", \"style\": {\"x\": [1]}}\n"
      ),
    ]),
    read: { url in
      var (rows, report) = try Behaviors.load(
        path: url.path, itemIDs: nil, options: options(url))
      rows = Cleaning().apply(to: rows, report: &report)
      _ = try ColdSplit.make(rows, positive: PositiveRule(labels: rows.labels))
    })

  private static let items = FuzzTarget(
    "items",
    seeds: seeds([
      ("i.csv", "item_id,title,description,price,genres\na,\"A, b\",Text,1.5,x|y\nb,B,,2,x\n"),
      ("movies.dat", "1::Toy Story (1995)::Animation|Comedy\n2::Jumanji (1995)::Adventure\n"),
      (
        "u.item",
        "1|Toy Story (1995)|01-Jan-1995||http://x|0|0|0|1|1|1|0|0|0|0|0|0|0|0|0|0|0|0|0\n"
      ),
      (
        "news.tsv",
        "N1\tsports\tnfl\tA title\tAn abstract\thttps://x\t[]\t[]\nN2\tnews\tworld\tB\t\thttps://y\t[]\t[]\n"
      ),
      (
        "skip.jsonl",
        "{\"parent_asin\": \"A\", \"title\": \"T\", \"description\": [\"a\", \"b\"], \"categories\": [[\"x\"]]}\n"
      ),
      ("i.item", "item_id:token\tmovie_title:token_seq\n1\tA b\n"),
    ]),
    read: { url in
      let table = try ItemTable.load(from: url, options: options(url))
      guard let features = table.features else { return }
      let schema = FeatureSchema.fit(on: features, rows: nil)
      _ = schema.encode(features)
    })

  private static let texts = FuzzTarget(
    "texts",
    seeds: seeds([
      ("t.txt", "one\ntwo\r\n\nthree"), ("t.csv", "id,text\n1,\"a\nb\"\n2,c\n"),
      ("skip.jsonl", "{\"id\": 1, \"text\": \"a\\u00e9\"}\n{\"title\": [\"x\", 2]}\n"),
      ("t.tsv", "text\na \"b\" c\n"),
    ]),
    read: { url in
      var options = TextSource.Options()
      options.skipBadRows = url.lastPathComponent.hasPrefix("skip")
      _ = try TextSource(url, options: options).readAll()
    })

  private static let json = FuzzTarget(
    "json",
    seeds: seeds([
      (
        "a.json",
        "{\"a\": [1, -2.5e3, true, null, \"\\u00e9\\ud83d\\ude00\"], \"b\": {\"c\": \"\"}}"
      ),
      ("b.json", "[[[[]]], {}, 9223372036854775807, 1.7976931348623157e308]"),
    ]),
    read: { url in
      let value = try JSONValue.parse([UInt8](Data(contentsOf: url)))
      let again = try JSONValue.parse(value.serialized(pretty: false))
      precondition(again == value, "JSON that was written reads back as something else")
    })

  private static let safetensors = FuzzTarget(
    "safetensors",
    seeds: [
      safetensors(
        "{\"__metadata__\":{\"k\":\"v\"},\"embeddings\":{\"dtype\":\"F32\",\"shape\":[2,2],\"data_offsets\":[0,16]},\"b\":{\"dtype\":\"F16\",\"shape\":[3],\"data_offsets\":[16,22]}}",
        dataLength: 22),
      safetensors(
        "{\"embeddings\":{\"dtype\":\"BF16\",\"shape\":[2,3],\"data_offsets\":[0,12]}}",
        dataLength: 12),
    ],
    read: { url in
      let file = try SafeTensorsFile(url)
      for tensor in file.tensors { _ = try file.floats(tensor.name) }
      _ = try VectorTable(contentsOf: url)
    })

  private static func safetensors(
    _ header: String, dataLength: Int
  ) -> (name: String, bytes: [UInt8]) {
    let length = withUnsafeBytes(of: UInt64(header.utf8.count).littleEndian) { Array($0) }
    let data = (0..<dataLength).map { UInt8($0) }
    return ("x.safetensors", length + Array(header.utf8) + data)
  }

  private static let vectors = FuzzTarget(
    "vectors",
    seeds: [numpy("<f4", 4, "x.npy"), numpy("<f2", 2, "y.npy"), numpy("<f8", 8, "z.npy")],
    read: { url in
      let ids = url.deletingPathExtension().appendingPathExtension("ids.txt")
      if !FileManager.default.fileExists(atPath: ids.path) {
        try Data("a\nb\n".utf8).write(to: ids)
      }
      _ = try ItemVectors.load(from: url)
    })

  private static func numpy(
    _ type: String, _ size: Int, _ name: String
  ) -> (name: String, bytes: [UInt8]) {
    let header = "{'descr': '\(type)', 'fortran_order': False, 'shape': (2, 3), }\n"
    let start: [UInt8] = [0x93] + Array("NUMPY".utf8) + [1, 0, UInt8(header.utf8.count), 0]
    return (name, start + Array(header.utf8) + [UInt8](repeating: 0, count: 6 * size))
  }

  private static func vocabulary(_ goldens: URL) throws -> FuzzTarget {
    let url = goldens.appendingPathComponent("checkpoints/legacy/vocab.txt")
    return FuzzTarget(
      "vocabulary", seeds: [("vocab.txt", try [UInt8](Data(contentsOf: url)))],
      read: { url in
        let vocabulary = try Vocabulary(contentsOf: url)
        let tokenizer = Tokenizer(vocabulary: vocabulary)
        _ = tokenizer.encode("some Text, with ##pieces and \u{E9}", maximumLength: 16)
      })
  }

  /// Model directories, one file of which is changed at a time.
  private static func models(_ goldens: URL) throws -> [FuzzTarget] {
    let directories = [
      ("mlm", ["config.json", "tokenizer.json", "tokenizer_config.json", "model.safetensors"]),
      (
        "legacy",
        [
          "config.json", "modules.json", "sentence_bert_config.json", "1_Pooling/config.json",
          "model.safetensors.index.json", "vocab.txt",
        ]
      ),
      ("st6", ["modules.json", "config_sentence_transformers.json", "1_Pooling/config.json"]),
    ]
    return try directories.map { name, files in
      let directory = goldens.appendingPathComponent("checkpoints/\(name)")
      return FuzzTarget(
        "model-\(name)", seeds: try seeds(files, of: directory), companions: directory,
        read: { url in
          let inside = url.deletingLastPathComponent()
          let isPooling = inside.lastPathComponent == "1_Pooling"
          let model = try PretrainedModel.load(
            from: isPooling ? inside.deletingLastPathComponent() : inside)
          _ = model.tokenizer.encode("a text", maximumLength: 16)
        })
    }
  }
}
