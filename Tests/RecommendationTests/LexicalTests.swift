import Kernels
import Recommendation
import TestSupport
import Testing

private struct TFIDFGolden: Decodable {
  struct Case: Decodable {
    var name: String
    var texts: [String]
    var terms: [String]
    var idf: [Float]
    var vectors: GoldenSparse
    var new: GoldenSparse
  }
  var stopWords: [String]
  var newTexts: [String]
  var cases: [Case]
}

private struct LSAGolden: Decodable {
  var vectors: GoldenSparse
  var singularValues: [Float]
  var cosines: GoldenMatrix
}

@Suite struct LexicalTests {
  private let golden: TFIDFGolden

  init() throws {
    BLAS.useSingleThread()
    golden = try Goldens.load("tfidf", as: TFIDFGolden.self)
  }

  private func options(_ name: String) -> TFIDF.Options {
    var options = TFIDF.Options()
    switch name {
    case "all words":
      options.analysis = .words(stopWords: false)
      options.maximumShare = 1
      options.sublinear = false
    case "characters":
      options.analysis = .characters(minimum: 3, maximum: 5)
      options.maximumShare = 0.9
      options.minimumTexts = 2
    case "short characters":
      options.analysis = .characters(minimum: 1, maximum: 3)
      options.maximumShare = 0.9
    default: break
    }
    return options
  }

  private func expectSame(_ actual: SparseMatrix, _ expected: GoldenSparse, _ label: String) {
    #expect(actual.offsets == expected.offsets, "\(label)")
    #expect(actual.columns == expected.indices, "\(label)")
    expectClose(actual.values, expected.values, absolute: 1e-6, label)
  }

  @Test("Vectors are scikit-learn's", arguments: 0..<5)
  func matchesSklearn(_ index: Int) throws {
    let expected = golden.cases[index]
    let (model, vectors) = try TFIDF.fit(expected.texts, options: options(expected.name))
    // By bytes: Swift's == takes canonically equivalent strings for equal.
    #expect(model.terms.map { Array($0.utf8) } == expected.terms.map { Array($0.utf8) })
    expectClose(model.weights, expected.idf, absolute: 1e-6, expected.name)
    expectSame(vectors, expected.vectors, expected.name)
    expectSame(model.transform(golden.newTexts), expected.new, "\(expected.name), new texts")
    let restored = try TFIDF(options: model.options, terms: model.terms, weights: model.weights)
    #expect(restored.transform(expected.texts) == vectors)
  }

  @Test func leavesOutScikitLearnsStopWords() throws {
    var chosen = TFIDF.Options()
    chosen.minimumTexts = 1
    chosen.maximumShare = 1
    let stops = golden.stopWords.filter { $0.utf8.count > 1 }
    let (model, _) = try TFIDF.fit([stops.joined(separator: " ") + " mug"], options: chosen)
    #expect(model.terms == ["mug"])
    chosen.analysis = .words(stopWords: false)
    let (all, _) = try TFIDF.fit([stops.joined(separator: " ")], options: chosen)
    #expect(all.terms == stops.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) })
  }

  @Test func theMostFrequentTermsStayTiesInByteOrder() throws {
    var chosen = TFIDF.Options()
    chosen.minimumTexts = 1
    chosen.maximumShare = 1
    chosen.maximumTerms = 3
    let (model, _) = try TFIDF.fit(
      ["zebra zebra bee ant", "zebra cat ant bee dog"], options: chosen)
    #expect(model.terms == ["ant", "bee", "zebra"])
    chosen.maximumTerms = 2
    #expect(
      try TFIDF.fit(["zebra zebra bee ant", "ant bee"], options: chosen).model.terms == [
        "ant", "bee",
      ])
  }

  @Test func equivalentSpellingsStayApart() throws {
    var chosen = TFIDF.Options()
    chosen.analysis = .characters(minimum: 3, maximum: 3)
    let (model, _) = try TFIDF.fit(["\u{e0}b", "a\u{300}b", "cd"], options: chosen)
    #expect(model.termCount == 7)
  }

  @Test func noTermIsAnError() {
    #expect(throws: TFIDFError.noTerms(texts: 2, distinct: 0)) { try TFIDF.fit(["a", "the"]) }
    #expect(throws: TFIDFError.noTerms(texts: 0, distinct: 0)) { try TFIDF.fit([]) }
  }

  @Test func damagedModelsAreErrors() {
    #expect(throws: TFIDFError.stored(terms: 1, weights: 2)) {
      try TFIDF(options: .init(), terms: ["a"], weights: [1, 2])
    }
    #expect(throws: TFIDFError.repeated(term: "a")) {
      try TFIDF(options: .init(), terms: ["a", "a"], weights: [1, 2])
    }
  }

  @Test("Coordinates are those of the exact decomposition, up to turns", arguments: [1, 2])
  func latentSemanticAnalysis(_ count: Int) throws {
    let expected = try Goldens.load("lsa", as: LSAGolden.self)
    let vectors = try expected.vectors.matrix()
    let workers = Workers(count: count)
    var generator = TestGenerator(seed: 3)
    let model = try LSA.fit(
      vectors, dimensions: 7, iterations: 30, using: &generator, workers: workers)
    expectClose(model.singularValues, expected.singularValues, relative: 1e-5, "values")
    let rows = model.transform(vectors, workers: workers)
    let cosines = rows.timesTranspose(rows, workers: workers)
    expectClose(cosines.values, expected.cosines.values, absolute: 1e-4, "cosines")
  }

  @Test func moreDimensionsThanTheTextsHave() throws {
    let vectors = try SparseMatrix(
      rowCount: 4, columnCount: 6,
      entries: [.init(row: 0, column: 1), .init(row: 1, column: 1), .init(row: 2, column: 3)])
    var generator = TestGenerator(seed: 3)
    let model = try LSA.fit(
      vectors, dimensions: 300, using: &generator, workers: Workers(count: 2))
    // Rank 2: two equal rows, one other, one empty.
    expectClose(model.singularValues, [Float(2).squareRoot(), 1], absolute: 1e-5)
    let empty = try SparseMatrix(rowCount: 4, columnCount: 6, entries: [])
    #expect(throws: LSAError.dimensions(5)) {
      try LSA.fit(empty, dimensions: 5, using: &generator, workers: Workers(count: 1))
    }
  }
}
