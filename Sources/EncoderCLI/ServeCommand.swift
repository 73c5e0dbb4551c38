#if Server
  import ArgumentParser
  import Foundation
  import Kernels
  import Serving

  /// `encoder serve`: vectors and recommendations over HTTP.
  struct ServeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "serve",
      abstract:
        "Answers over HTTP: vectors, recommendations, new items and behaviours as they come.",
      discussion: """
        The APIs of OpenAI (/v1/embeddings) and text-embeddings-inference (/embed, /rerank, ...), and for a \
        fine-tuned model recommendations. /openapi.json describes all routes; / is a page to try them.
        """)

    @Option(
      help: "A fine-tuned model's or an encoder's directory; else the newest under ./checkpoints.")
    var model: String?

    @Option(help: "The address to listen on; 0.0.0.0 for all.")
    var host = "127.0.0.1"

    @Option(help: "The port; 0 takes a free one, which is printed.")
    var port = 8080

    @Option(
      help: "The database of items and events that come in; without it they end with the server.")
    var data: String?

    @Option(help: "A file with the key that requests must carry.")
    var apiKeyFile: String?

    @Option(help: "The origin whose scripts may call, or *; none by default.")
    var corsAllowOrigin: String?

    @Option(help: "The most bytes of a request.")
    var payloadLimit = 2_000_000

    @Option(help: "The most texts of a request to /embed.")
    var maxClientBatchSize = 32

    @Option(help: "The most texts and lists that wait; beyond it requests get 429.")
    var maxConcurrentRequests = 512

    @Option(help: "The most tokens that a core takes at once.")
    var maxBatchTokens = 2048

    @Option(help: "The most connections.")
    var maxConnections = 1024

    @Option(help: "Seconds that a request may wait before it gets 504.")
    var deadline = 30.0

    @Option(
      help: "Seconds in which a request must arrive, and after which an idle connection is closed.")
    var idleTimeout = 60.0

    @Option(help: "Vectors of texts that are kept in memory.")
    var cache = 10_000

    @Flag(
      help:
        "Compute every text by itself, so that its vector has the same bytes in any company on any processor; slower."
    )
    var exact = false

    @Flag(inversion: .prefixedNo, help: "Cut texts that are longer than the model takes.")
    var autoTruncate = true

    @Option(help: "Update the model every so many hours from the events in --data.")
    var updateEvery: Double?

    @Option(help: "How log lines look: text or json.")
    var logFormat = "text"

    @Option(
      help: "The least level that is logged: trace, debug, info, notice, warning, error, critical.")
    var logLevel = "info"

    @OptionGroup var shared: SharedOptions

    func validate() throws {
      guard (0...65535).contains(port) else {
        throw ValidationError("--port must be between 0 and 65535.")
      }
      guard ServerOptions.LogFormat(rawValue: logFormat) != nil else {
        throw ValidationError("--log-format must be text or json.")
      }
      let levels = ["trace", "debug", "info", "notice", "warning", "error", "critical"]
      guard levels.contains(logLevel) else {
        throw ValidationError("--log-level must be one of \(levels.joined(separator: ", ")).")
      }
      for (flag, value) in [
        ("--payload-limit", payloadLimit), ("--max-client-batch-size", maxClientBatchSize),
        ("--max-concurrent-requests", maxConcurrentRequests),
        ("--max-batch-tokens", maxBatchTokens),
        ("--max-connections", maxConnections),
      ] { try FlagLimits.check(flag, value, 1...1_000_000_000) }
      try FlagLimits.check("--cache", cache, 0...1_000_000_000)
      try FlagLimits.check("--deadline", deadline, atMost: 86_400)
      try FlagLimits.check("--idle-timeout", idleTimeout, atMost: 86_400)
      try FlagLimits.check("--update-every", updateEvery, atMost: 8_760)
    }

    func run() async throws {
      BLAS.useSingleThread()
      let display = ProgressDisplay(quiet: shared.quiet, json: shared.json)
      let choice = try ModelLocator().locate(model, includingRecommenders: true)
      if let notice = choice.notice { display.line(notice) }
      let server = try HTTPServer(options(choice.url))
      let (host, isQuiet, isJSON) = (host, shared.quiet, shared.json)
      try await server.run { port in
        if isJSON {
          StandardError.write("{\"listening\":\"http://\(host):\(port)\"}")
        } else if !isQuiet {
          StandardError.write("listening on http://\(host):\(port)")
        }
      }
    }

    private func options(_ url: URL) throws -> ServerOptions {
      var options = ServerOptions(model: url)
      options.host = host
      options.port = port
      options.data = data.map { URL(fileURLWithPath: $0) }
      options.apiKey = try apiKeyFile.map(key)
      options.allowedOrigin = corsAllowOrigin
      options.bodyLimit = payloadLimit
      options.clientBatchLimit = maxClientBatchSize
      options.queueLimit = maxConcurrentRequests
      options.batchTokens = maxBatchTokens
      options.isExact = exact
      options.connectionLimit = maxConnections
      options.deadline = deadline
      options.idleTimeout = idleTimeout
      options.cacheSize = cache
      options.cutsLongTexts = autoTruncate
      options.threads = shared.threads
      options.updateHours = updateEvery
      options.logFormat = ServerOptions.LogFormat(rawValue: logFormat) ?? .text
      options.logLevel = shared.quiet ? "error" : logLevel
      return options
    }

    private func key(_ path: String) throws -> String {
      guard let text = try? String(contentsOfFile: path, encoding: .utf8) else {
        throw CLIError(
          "the key can't be read: --api-key-file \(path); check that the file exists and is UTF-8")
      }
      let key = text.trimmingCharacters(in: .whitespacesAndNewlines)
      guard !key.isEmpty else {
        throw CLIError("the key is empty: --api-key-file \(path); put the key on its first line")
      }
      return key
    }
  }
#endif
