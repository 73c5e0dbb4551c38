import Foundation
import Synchronization

/// Counts and times what the server does, in Prometheus' text format.
final class MetricsRegistry: Sendable {
  /// A metric's name and labels, `name{a="b"}`.
  private struct Key: Hashable, Comparable {
    let name: String
    let labels: String
    static func < (a: Key, b: Key) -> Bool { (a.name, a.labels) < (b.name, b.labels) }
  }

  private struct State {
    var counters: [Key: Double] = [:]
    var histograms: [Key: Histogram] = [:]
  }

  private struct Histogram {
    let bounds: [Double]
    var counts: [Int]
    var sum = 0.0

    init(bounds: [Double]) {
      self.bounds = bounds
      counts = [Int](repeating: 0, count: bounds.count + 1)
    }

    mutating func record(_ value: Double) {
      var low = 0
      var high = bounds.count
      while low < high {
        let middle = (low + high) / 2
        if bounds[middle] < value { low = middle + 1 } else { high = middle }
      }
      counts[low] += 1
      sum += value
    }
  }

  private let state = Mutex(State())

  /// Bounds of histograms of seconds: 50 microseconds times 1.5, 36 times.
  static let secondBounds: [Double] = {
    var bounds: [Double] = []
    var bound = 5e-5
    for _ in 0..<36 {
      bounds.append(bound)
      bound *= 1.5
    }
    return bounds
  }()

  /// Bounds of histograms of sizes: powers of two up to 65,536.
  static let sizeBounds: [Double] = (0...16).map { Double(1 << $0) }

  /// What each metric is, by name; a metric without an entry here isn't written.
  private static let help: [(name: String, type: String, text: String)] = [
    ("encoder_http_requests_total", "counter", "Requests by route and status."),
    ("encoder_http_request_duration_seconds", "histogram", "Seconds from request to response."),
    ("encoder_cache_hits_total", "counter", "Texts whose vector was in the cache."),
    ("encoder_cache_misses_total", "counter", "Texts whose vector was computed."),
    ("encoder_events_total", "counter", "Events taken in."),
    ("encoder_item_writes_total", "counter", "Items written or deleted."),
    ("encoder_commits_total", "counter", "Transactions of the database."),
    ("encoder_batch_size", "histogram", "Inputs of a batch, by queue."),
    ("encoder_batch_duration_seconds", "histogram", "Seconds of a batch, by queue."),
    ("encoder_queue_duration_seconds", "histogram", "Seconds that an input waited, by queue."),
    (
      "encoder_abandoned_inputs_total", "counter",
      "Inputs that weren't begun before their client hung up, by queue."
    ),
    ("encoder_model_swaps_total", "counter", "Versions of the model taken up while running."),
    ("te_request_count", "counter", "Requests for vectors, by method."),
    ("te_request_success", "counter", "Requests for vectors that were answered, by method."),
    ("te_request_failure", "counter", "Requests for vectors that failed, by error."),
    ("te_request_duration", "histogram", "Seconds of a request for vectors."),
    ("te_request_queue_duration", "histogram", "Seconds that a text waited."),
    ("te_request_inference_duration", "histogram", "Seconds of a batch of texts."),
    ("te_request_input_length", "histogram", "Tokens of a text."),
    ("te_batch_next_size", "histogram", "Texts of a batch."),
    ("te_batch_next_tokens", "histogram", "Tokens of a batch."),
  ]

  /// Labels as text, `a="b",c="d"`; values are escaped.
  static func labels(_ pairs: [(String, String)]) -> String {
    pairs.map { name, value in
      let escaped = value.replacingOccurrences(of: "\\", with: "\\\\")
        .replacingOccurrences(of: "\"", with: "\\\"").replacingOccurrences(of: "\n", with: "\\n")
      return "\(name)=\"\(escaped)\""
    }.joined(separator: ",")
  }

  /// Adds to a counter.
  func count(_ name: String, _ labels: String = "", by value: Double = 1) {
    state.withLock { $0.counters[Key(name: name, labels: labels), default: 0] += value }
  }

  /// Records a value in a histogram.
  func record(
    _ name: String, _ labels: String = "", _ value: Double, bounds: [Double] = secondBounds
  ) {
    state.withLock {
      $0.histograms[Key(name: name, labels: labels), default: Histogram(bounds: bounds)]
        .record(value)
    }
  }

  /// A counter's value, 0 for one that was never touched.
  func value(_ name: String, _ labels: String = "") -> Double {
    state.withLock { $0.counters[Key(name: name, labels: labels)] ?? 0 }
  }

  /// A value that is read when the metrics are asked for.
  struct Gauge {
    let name: String
    let help: String
    let labels: String
    let value: Double
    /// What Prometheus calls it: a sum that only grows is a counter, wherever it is kept.
    var type = "gauge"
  }

  /// All metrics in Prometheus' text format, sorted.
  func text(gauges: [Gauge]) -> String {
    let (counters, histograms) = state.withLock { ($0.counters, $0.histograms) }
    var text = ""
    for entry in MetricsRegistry.help {
      let rows = counters.keys.filter { $0.name == entry.name }.sorted()
      let series = histograms.keys.filter { $0.name == entry.name }.sorted()
      guard !rows.isEmpty || !series.isEmpty else { continue }
      text += "# HELP \(entry.name) \(entry.text)\n# TYPE \(entry.name) \(entry.type)\n"
      for key in rows { text += line(key.name, key.labels, counters[key] ?? 0) }
      for key in series { text += histograms[key].map { lines(key, $0) } ?? "" }
    }
    var last = ""
    for gauge in gauges {
      if gauge.name != last {
        text += "# HELP \(gauge.name) \(gauge.help)\n# TYPE \(gauge.name) \(gauge.type)\n"
        last = gauge.name
      }
      text += line(gauge.name, gauge.labels, gauge.value)
    }
    return text
  }

  private func lines(_ key: Key, _ histogram: Histogram) -> String {
    var text = ""
    var total = 0
    let prefix = key.labels.isEmpty ? "" : key.labels + ","
    for (place, bound) in histogram.bounds.enumerated() {
      total += histogram.counts[place]
      text += line(key.name + "_bucket", prefix + "le=\"\(shown(bound))\"", Double(total))
    }
    total += histogram.counts[histogram.bounds.count]
    text += line(key.name + "_bucket", prefix + "le=\"+Inf\"", Double(total))
    text += line(key.name + "_sum", key.labels, histogram.sum)
    text += line(key.name + "_count", key.labels, Double(total))
    return text
  }

  private func line(_ name: String, _ labels: String, _ value: Double) -> String {
    "\(name)\(labels.isEmpty ? "" : "{\(labels)}") \(shown(value))\n"
  }

  private func shown(_ value: Double) -> String {
    value == value.rounded() && abs(value) < 1e15 ? String(Int(value)) : "\(value)"
  }
}
