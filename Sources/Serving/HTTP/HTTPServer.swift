#if Server
  import Foundation
  internal import HTTPTypes
  internal import Hummingbird
  internal import HummingbirdCore
  import Logging
  internal import NIOCore
  internal import NIOPosix

  /// Serves a model over HTTP/1.1 until a signal ends it.
  ///
  /// Only this file and that of ``ConnectionHandler`` know the HTTP library.
  public struct HTTPServer: Sendable {
    private let server: Server
    private let logger: Logger

    /// Loads the model and opens the database.
    ///
    /// - Throws: `CheckpointError` for the model, ``ServingError`` for the database.
    public init(_ options: ServerOptions) throws {
      server = try Server(options)
      logger = server.logger
    }

    /// Listens until SIGINT or SIGTERM.
    ///
    /// What was accepted is answered first. Five seconds beyond the deadline what is still open is closed
    /// all the same. SIGHUP takes up a new version of the model.
    ///
    /// - Parameter onListening: called with the port once requests can come.
    /// - Throws: ``ServingError`` when the port can't be used.
    public func run(onListening: @escaping @Sendable (Int) -> Void = { _ in }) async throws {
      let options = server.options
      var configuration = ApplicationConfiguration(
        address: .hostname(options.host, port: options.port), serverName: nil)
      configuration.availableConnectionsDelegate = MaximumAvailableConnections(
        options.connectionLimit, logger: quiet)
      let patience = TimeAmount.milliseconds(Int64(options.idleTimeout * 1000))
      let grace = TimeAmount.milliseconds(
        Int64((options.deadline + HTTPServer.stopSeconds) * 1000))
      let http = HTTP1Channel.Configuration(
        idleTimeout: patience,
        httpDecoderConfiguration: .init(
          maxHeaderFieldSize: 16 << 10, maxHeaderListSize: 64 << 10, maxHeaderFieldCount: 100))
      let app = Application(
        responder: Responder(server: server),
        server: HTTPServerBuilder { responder in
          WatchedChannel(
            http: HTTP1Channel(responder: responder, configuration: http), patience: patience,
            grace: grace)
        },
        configuration: configuration,
        onServerRunning: { channel in onListening(channel.localAddress?.port ?? options.port) },
        logger: quiet)
      let upkeep = Task { await Upkeep(server: server).run() }
      defer {
        upkeep.cancel()
        server.close()
      }
      do {
        try await app.runService()
      } catch let error as IOError {
        throw ServingError(
          "the server can't listen (\(String(cString: strerror(error.errnoCode)))): "
            + "\(options.host):\(options.port); choose another --port or --host")
      } catch is SocketAddressError.UnknownHost {
        throw ServingError(
          "there is no address of that name: --host \(options.host); give an address of this machine, "
            + "such as 127.0.0.1, or 0.0.0.0 for all")
      }
      logger.notice("stopped")
    }

    /// Seconds beyond the deadline in which clients must have taken their answers when the server stops.
    private static let stopSeconds = 5.0

    /// The library's own lines, of which only what is wrong matters.
    private var quiet: Logger {
      var logger = logger
      logger.logLevel = max(logger.logLevel, .warning)
      return logger
    }
  }

  /// Turns the library's requests into the routes' and their responses back.
  struct Responder: HTTPResponder {
    typealias Context = BasicRequestContext

    let server: Server

    func respond(to request: Request, context: Context) async throws -> Response {
      let path = request.uri.path
      let apiKey = HTTPField.Name("X-API-Key").flatMap { request.headers[$0] }
      let mark = request.head.path.map { $0.utf8 }?.firstIndex(of: UInt8(ascii: "?"))
      let target = request.head.path ?? "/"
      var translated = APIRequest(
        request.method.rawValue, path.isEmpty ? "/" : path,
        query: mark.map { String(target[target.utf8.index(after: $0)...]) } ?? "",
        authorization: request.headers[.authorization], apiKey: apiKey,
        origin: request.headers[.origin])
      do {
        translated.body = try await body(of: request)
      } catch let error as APIError {
        var response = convert(error.response(openAI: path.hasPrefix("/v1/")), request)
        // What is left of the body isn't worth reading.
        response.headers[.connection] = "close"
        return response
      }
      let (api, complete) = (server.api, translated)
      guard let connection = Connection.current else {
        return convert(await api.respond(to: complete), request)
      }
      let response = await connection.answer { await api.respond(to: complete) }
      return convert(response ?? APIError.hungUp.response(openAI: false), request)
    }

    /// The body, if it isn't too large and comes in time.
    private func body(of request: Request) async throws -> [UInt8] {
      let limit = server.api.bodyLimit
      if let length = request.headers[.contentLength].flatMap({ Int($0) }), length > limit {
        throw tooLarge(limit)
      }
      let end = ContinuousClock.now + .seconds(server.options.idleTimeout)
      var bytes: [UInt8] = []
      for try await part in request.body {
        guard bytes.count + part.readableBytes <= limit else { throw tooLarge(limit) }
        guard ContinuousClock.now < end else {
          throw APIError(kind: .requestTimeout, message: "the body came too slowly")
        }
        bytes.append(contentsOf: part.readableBytesView)
      }
      return bytes
    }

    private func tooLarge(_ limit: Int) -> APIError {
      APIError(kind: .tooLarge, message: "the body has more than \(limit) bytes")
    }

    private func convert(_ response: APIResponse, _ request: Request) -> Response {
      var headers = HTTPFields()
      if !response.body.isEmpty { headers[.contentType] = response.contentType }
      for (name, value) in response.headers {
        guard let name = HTTPField.Name(name) else { continue }
        headers[name] = value
      }
      let made = Response(
        status: .init(code: response.status), headers: headers,
        body: .init(byteBuffer: ByteBuffer(bytes: response.body)))
      return request.method == .head ? made.createHeadResponse() : made
    }
  }
#endif
