#if Server
  internal import HummingbirdCore
  import Logging
  internal import NIOCore

  /// Sees to it that no client can hold a connection by not reading, and tells when a client hangs up.
  ///
  /// It is the first handler of the pipeline, where bytes go out. The library's own timeout ends silent
  /// connections, but none with an answer under way, and it counts an answer as sent when it is written,
  /// whether the kernel takes it or not.
  final class ConnectionHandler: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer
    typealias OutboundIn = IOData
    typealias OutboundOut = IOData

    private let connection: Connection
    /// How long a client may take nothing of what waits for it.
    private let patience: TimeAmount
    /// How long the connection may outlive the order to stop.
    private let grace: TimeAmount
    /// Bytes written so far, and how many of them the kernel had taken when that was last looked at.
    private var written = 0
    private var taken = 0
    /// When that number last grew.
    private var progress = NIODeadline.now()
    private var nextLook: Scheduled<Void>?
    private var lastMoment: Scheduled<Void>?

    init(_ connection: Connection, patience: TimeAmount, grace: TimeAmount) {
      self.connection = connection
      self.patience = patience
      self.grace = grace
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
      written += unwrapOutboundIn(data).readableBytes
      context.write(data, promise: promise)
    }

    func flush(context: ChannelHandlerContext) {
      context.flush()
      guard nextLook == nil else { return }
      let rest = waitingBytes(context)
      guard rest > 0 else { return }
      taken = written - rest
      progress = .now()
      scheduleLook(context)
    }

    func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
      guard mode != .input, waitingBytes(context) > 0 else {
        context.close(mode: mode, promise: promise)
        return
      }
      // A closed channel throws away what the client hasn't taken yet, the end of a long answer: an empty
      // write behind it says when it is gone.
      let bound = NIOLoopBound(context, eventLoop: context.eventLoop)
      let last = context.eventLoop.makePromise(of: Void.self)
      last.futureResult.whenComplete { _ in bound.value.close(mode: mode, promise: promise) }
      context.write(wrapOutboundOut(.byteBuffer(ByteBuffer())), promise: last)
      flush(context: context)
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
      switch event {
      case ChannelEvent.inputClosed: connection.end(isClosed: false)
      case is ChannelShouldQuiesceEvent: scheduleEnd(context)
      default: break
      }
      context.fireUserInboundEventTriggered(event)
    }

    func channelInactive(context: ChannelHandlerContext) {
      connection.end(isClosed: true)
      nextLook?.cancel()
      lastMoment?.cancel()
      nextLook = nil
      lastMoment = nil
      context.fireChannelInactive()
    }

    /// Bytes that the kernel hasn't taken; none of a closed connection.
    private func waitingBytes(_ context: ChannelHandlerContext) -> Int {
      guard let options = context.channel.syncOptions else { return 0 }
      return (try? options.getOption(ChannelOptions.bufferedWritableBytes)) ?? 0
    }

    private func scheduleLook(_ context: ChannelHandlerContext) {
      let bound = NIOLoopBound((handler: self, context: context), eventLoop: context.eventLoop)
      nextLook = context.eventLoop.scheduleTask(in: .nanoseconds(patience.nanoseconds / 4)) {
        bound.value.handler.look(bound.value.context)
      }
    }

    private func look(_ context: ChannelHandlerContext) {
      nextLook = nil
      let rest = waitingBytes(context)
      guard rest > 0 else { return }
      if written - rest > taken {
        taken = written - rest
        progress = .now()
      } else if NIODeadline.now() - progress >= patience {
        // Past this handler's own close: what waits goes with the connection.
        context.close(mode: .all, promise: nil)
        return
      }
      scheduleLook(context)
    }

    private func scheduleEnd(_ context: ChannelHandlerContext) {
      guard lastMoment == nil else { return }
      let bound = NIOLoopBound(context, eventLoop: context.eventLoop)
      lastMoment = context.eventLoop.scheduleTask(in: grace) {
        bound.value.close(mode: .all, promise: nil)
      }
    }
  }

  /// HTTP/1.1 over a connection with a ``ConnectionHandler``.
  struct WatchedChannel: ServerChildChannel {
    struct Value: ServerChildChannelValue {
      let http: HTTP1Channel.Value
      let connection: Connection

      var channel: any Channel { http.channel }
    }

    let http: HTTP1Channel
    let patience: TimeAmount
    let grace: TimeAmount

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Value> {
      let connection = Connection()
      do {
        try channel.pipeline.syncOperations.addHandler(
          ConnectionHandler(connection, patience: patience, grace: grace))
      } catch {
        return channel.eventLoop.makeFailedFuture(error)
      }
      return http.setup(channel: channel, logger: logger).map { value in
        Value(http: value, connection: connection)
      }
    }

    func handle(value: Value, logger: Logger) async {
      await Connection.$current.withValue(value.connection) {
        await http.handle(value: value.http, logger: logger)
      }
    }
  }
#endif
