import Checkpoints
import Datasets
import Foundation
public import Kernels

extension Recommender {
  /// The model without a user: id, behaviours and features are gone, and item counts are those of the
  /// others; so is the malformed row that reading quoted, which may be anybody's.
  ///
  /// With `refitting` the collaborative models are computed again without the user. What the towers,
  /// the adapters, the fusion and the calibration learnt stays.
  ///
  /// - Throws: ``RecommenderError`` for a user whom the model doesn't have, and what fitting throws.
  public func forgetting(
    user id: String, refitting: Bool, workers: Workers
  ) throws -> Recommender {
    guard let user = users.index(of: id) else {
      throw RecommenderError("the model doesn't have the user \(id)")
    }
    let rows = (0..<Int32(users.count)).filter { Int($0) != user }
    let (kept, others) = (IDTable(rows.map { users[Int($0)] }), histories.selectingRows(rows))
    let features = userFeatures?.selectingRows(rows)
    var report = report
    report.firstBadRow = nil
    if refitting {
      return try refittingCollaborative(
        users: kept, histories: others, userFeatures: features,
        touched: Array(histories.columns(ofRow: user)),
        penalty: try easePenalty(workers: workers), workers: workers
      ).replacing(userFeatures: features, report: report)
    }
    var space = space
    space.counts = others.columnSums()
    return replacing(
      users: kept, histories: others, userFeatures: features, space: space, report: report)
  }
}

/// What `forget` removed and what it can't remove.
public struct ForgetReport: Sendable, Codable, Equatable {
  /// The user.
  public var user: String
  /// Versions that had the user and don't any more.
  public var versions: [String] = []
  /// Behaviours that were removed, by version.
  public var behaviors: [Int] = []
  /// What still carries traces of the user.
  public var remaining: [String] = []
  /// Versions whose `report.html` was removed.
  public var removedReports: [String] = []

  enum CodingKeys: String, CodingKey {
    case user, versions, behaviors, remaining
    case removedReports = "removed_reports"
  }
}

extension ModelVersions {
  /// Removes a user from every version of the model.
  ///
  /// Each version is written anew beside its place and put there by a rename. Weights that were
  /// trained on the user's behaviours stay and are named in the report. All versions lose their
  /// `report.html`, also those that didn't have the user: see ``RecommenderReport/fileName``.
  ///
  /// - Throws: ``RecommenderError`` when no version has the user; what loading and writing throw.
  public func forget(
    user id: String, refitting: Bool, workers: Workers
  ) throws -> ForgetReport {
    try locked {
      var report = ForgetReport(user: id)
      // The original's folder holds the others, so it comes last.
      for name in try names().reversed() {
        let place = try url(of: name)
        let model = try Recommender.loadVersion(from: place, workers: workers)
        guard let user = model.users.index(of: id) else { continue }
        // Before the first user is gone: forgetting that was killed can then be done again.
        if report.versions.isEmpty { report.removedReports = try removeReports() }
        report.behaviors.append(model.histories.columns(ofRow: user).count)
        report.versions.append(name)
        let scrubbed = try model.forgetting(user: id, refitting: refitting, workers: workers)
        let card = try? Data(contentsOf: place.appendingPathComponent("README.md"))
        try scrubbed.write(
          to: place, modelCard: String(decoding: card ?? Data(), as: UTF8.self), keepsOthers: true)
      }
      guard !report.versions.isEmpty else {
        throw RecommenderError("no version has the user \(id): \(directory.path); check the id")
      }
      report.remaining =
        refitting
        ? ["towers", "adapters", "fusion", "calibration"]
        : ["ease", "als", "ridge", "towers", "adapters", "fusion", "calibration"]
      return report
    }
  }

  /// Removes the reports of all versions and returns the versions that had one.
  ///
  /// Their samples list what some users had, without ids, so nothing tells whose lists they are; and
  /// `encoder evaluate` leaves its report of the version in use in the original's folder.
  private func removeReports() throws -> [String] {
    try names().filter { name in
      let path = try url(of: name).appendingPathComponent(RecommenderReport.fileName).path
      if unlink(path) == 0 { return true }
      let code = errno
      guard code == ENOENT else {
        throw RecommenderError(
          "the report can't be removed (\(String(cString: strerror(code)))): \(path); check its "
            + "permissions")
      }
      return false
    }
  }
}
