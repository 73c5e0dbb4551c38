#if Server
  import Foundation
  internal import GRDB
  import Synchronization
  import Tokenization

  /// What came in, in an SQLite database: items, events, blocked and removed items, forgotten users.
  ///
  /// One transaction takes many writes. It is on the disk (write-ahead log, synchronous=FULL) before
  /// anybody is told, so what was acknowledged survives the end of the process and of the power.
  /// Ids and texts are blobs: SQLite neither compares nor cuts them as text.
  final class SQLiteStorage: StateStorage {
    private let database: DatabaseQueue
    /// Whether the log may hold what was forgotten.
    private let owesCheckpoint = Mutex(false)
    private static let formatVersion = 1

    /// Opens or creates a database.
    ///
    /// - Throws: ``ServingError`` for a file that is in use, or isn't a database of this program.
    init(_ url: URL) throws {
      var configuration = Configuration()
      configuration.prepareDatabase { db in
        // Exclusive: two servers on one file would each lack the other's writes in memory.
        try db.execute(sql: "PRAGMA locking_mode = EXCLUSIVE")
        try db.execute(sql: "PRAGMA journal_mode = WAL")
        try db.execute(sql: "PRAGMA synchronous = FULL")
        // What is deleted is overwritten with zeros.
        try db.execute(sql: "PRAGMA secure_delete = ON")
      }
      do {
        database = try DatabaseQueue(path: url.path, configuration: configuration)
        try database.write { db in try SQLiteStorage.prepare(db, url) }
      } catch let error as DatabaseError {
        let place = url.path
        switch error.resultCode {
        case .SQLITE_BUSY, .SQLITE_LOCKED:
          throw ServingError(
            "the database is in use by another process: \(place); stop it, or give another --data")
        case .SQLITE_NOTADB:
          throw ServingError("the file isn't a database: \(place); give another --data")
        default:
          throw ServingError(
            "the database can't be used (\(error.message ?? "\(error.resultCode)")): \(place); "
              + "check that folder and file can be written")
        }
      }
    }

    private static func prepare(_ db: Database, _ url: URL) throws {
      let version = try Int.fetchOne(db, sql: "PRAGMA user_version") ?? 0
      if version == 0 || version == formatVersion {
        // Only a store of what can be computed: a program that doesn't know the table leaves it alone, and
        // `source` tells what became of its items meanwhile.
        try db.execute(
          sql: "CREATE TABLE IF NOT EXISTS vectors (id BLOB PRIMARY KEY, source INTEGER NOT NULL, "
            + "bytes BLOB NOT NULL)")
      }
      if version == formatVersion { return }
      guard version == 0 else {
        throw ServingError(
          "format version \(version) is unknown: \(url.path); use the version of encoder "
            + "that wrote it")
      }
      try db.execute(
        sql: """
          CREATE TABLE items (id BLOB PRIMARY KEY, text BLOB NOT NULL, features BLOB NOT NULL,
            expires REAL) WITHOUT ROWID;
          CREATE TABLE removed (id BLOB PRIMARY KEY) WITHOUT ROWID;
          CREATE TABLE blocked (id BLOB PRIMARY KEY) WITHOUT ROWID;
          CREATE TABLE events (number INTEGER PRIMARY KEY, user BLOB NOT NULL, item BLOB NOT NULL,
            value REAL NOT NULL, time REAL NOT NULL);
          CREATE INDEX events_of_user ON events (user);
          CREATE TABLE forgotten (hash INTEGER PRIMARY KEY);
          PRAGMA user_version = \(formatVersion);
          """)
    }

    /// Writes everything or nothing, and returns once it is on the disk.
    ///
    /// A forgotten user's id is then in none of the database's files, the write-ahead log among them.
    func write(_ changes: [StateChange]) throws {
      try database.write { db in
        for change in changes { try SQLiteStorage.write(change, db) }
      }
      let forgets = changes.contains { if case .forget = $0 { true } else { false } }
      guard forgets || owesCheckpoint.withLock({ $0 }) else { return }
      // Everything is stored by now: a log that can't be emptied at once is emptied after a later write.
      let isDone = (try? database.writeWithoutTransaction { try $0.checkpoint(.truncate) }) != nil
      owesCheckpoint.withLock { $0 = !isDone }
    }

    private static func write(_ change: StateChange, _ db: Database) throws {
      switch change {
      case .events(let events):
        let statement = try db.cachedStatement(
          sql: "INSERT INTO events (user, item, value, time) VALUES (?, ?, ?, ?)")
        for event in events {
          try statement.execute(arguments: [
            Data(event.user.utf8), Data(event.item.utf8), Double(event.value), event.time,
          ])
        }
      case .putItem(let record):
        let id = Data(record.id.utf8)
        try db.cachedStatement(
          sql: "INSERT OR REPLACE INTO items (id, text, features, expires) VALUES (?, ?, ?, ?)"
        ).execute(arguments: [
          id, Data(record.text.utf8), Data(record.featuresJSON.serialized()), record.expiresAt,
        ])
        try db.cachedStatement(sql: "DELETE FROM removed WHERE id = ?").execute(arguments: [id])
      case .keepVectors(let id, let source, let bytes):
        try db.cachedStatement(
          sql: "INSERT OR REPLACE INTO vectors (id, source, bytes) VALUES (?, ?, ?)"
        ).execute(arguments: [Data(id.utf8), Int64(bitPattern: source), Data(bytes)])
      case .removeItem(let id):
        let id = Data(id.utf8)
        try db.cachedStatement(sql: "DELETE FROM vectors WHERE id = ?").execute(arguments: [id])
        try db.cachedStatement(sql: "DELETE FROM items WHERE id = ?").execute(arguments: [id])
        try db.cachedStatement(sql: "INSERT OR REPLACE INTO removed (id) VALUES (?)")
          .execute(arguments: [id])
      case .block(let id):
        try db.cachedStatement(sql: "INSERT OR REPLACE INTO blocked (id) VALUES (?)")
          .execute(arguments: [Data(id.utf8)])
      case .unblock(let id):
        try db.cachedStatement(sql: "DELETE FROM blocked WHERE id = ?")
          .execute(arguments: [Data(id.utf8)])
      case .forget(let user, let hash):
        try db.cachedStatement(sql: "DELETE FROM events WHERE user = ?")
          .execute(arguments: [Data(user.utf8)])
        try db.cachedStatement(sql: "INSERT OR REPLACE INTO forgotten (hash) VALUES (?)")
          .execute(arguments: [Int64(bitPattern: hash)])
      }
    }

    /// All items, by id.
    func items() throws -> [ItemRecord] {
      try database.read { db in
        try Row.fetchAll(db, sql: "SELECT id, text, features, expires FROM items ORDER BY id").map {
          row in
          let id = text(row["id"])
          let features: Data = row["features"]
          let members = try? JSONValue.parse(Array(features)).objectValue
          return ItemRecord(
            id: id, text: text(row["text"]),
            features: (members ?? []).map {
              .init(name: $0.key, value: $0.value.stringValue ?? "")
            }, expiresAt: row["expires"])
        }
      }
    }

    /// The vectors that were kept, by id.
    func forEachVectors(
      _ body: (_ id: String, _ source: UInt64, _ bytes: [UInt8]) -> Void
    ) throws {
      try database.read { db in
        let rows = try Row.fetchCursor(db, sql: "SELECT id, source, bytes FROM vectors")
        while let row = try rows.next() {
          let (source, bytes): (Int64, Data) = (row[1], row[2])
          body(text(row[0]), UInt64(bitPattern: source), Array(bytes))
        }
      }
    }

    /// Ids of removed or of blocked items.
    func ids(removed: Bool) throws -> [String] {
      try database.read { db in
        try Data.fetchAll(
          db, sql: "SELECT id FROM \(removed ? "removed" : "blocked") ORDER BY id"
        ).map(text)
      }
    }

    /// Hashes of the users that were forgotten.
    func forgotten() throws -> [UInt64] {
      try database.read { db in
        try Int64.fetchAll(db, sql: "SELECT hash FROM forgotten").map { UInt64(bitPattern: $0) }
      }
    }

    /// Goes through all events in the order in which they came.
    func forEachEvent(_ body: (Event) throws -> Void) throws {
      try database.read { db in
        let rows = try Row.fetchCursor(
          db, sql: "SELECT user, item, value, time FROM events ORDER BY number")
        while let row = try rows.next() {
          let value: Double = row[2]
          try body(
            Event(user: text(row[0]), item: text(row[1]), value: Float(value), time: row[3]))
        }
      }
    }

    func close() {
      // What isn't closed here is closed by the end of the process, and is on the disk either way.
      try? database.close()
    }

    private func text(_ data: Data) -> String { String(decoding: data, as: UTF8.self) }
  }
#endif
