import Datasets
import Foundation
import TestSupport
import Testing

@Suite struct FeatureSchemaTests {
  private func table(_ columns: [(String, [String])]) -> FeatureTable {
    FeatureTable(
      columns: columns.map { FeatureTable.Column(name: $0.0, values: $0.1) },
      rowCount: columns[0].1.count)
  }

  @Test func numbersAreStandardised() {
    // Mean 2.5, deviation sqrt(1.25) of 1, 2, 3, 4.0 with a fraction somewhere.
    let schema = FeatureSchema.fit(on: table([("price", ["1", "2", "", "3.5", "3.5"])]))
    expectClose(
      schema.encode(table([("price", ["2.5", "x", "", "3.5"])])),
      [0, 0, 0, Float(1 / 1.125.squareRoot())], absolute: 1e-6)
    #expect(schema.featureNames == ["price"])
    // Far values are cut.
    #expect(schema.encode(table([("price", ["1e9", "-1e9"])])) == [5, -5])
  }

  @Test func categoriesByFrequencyThenCodePoints() {
    let schema = FeatureSchema.fit(
      on: table([("genre", ["b|a", "c | b", "b", "a", "rare", "", "c"])]))
    #expect(schema.featureNames == ["genre=b", "genre=a", "genre=c"])
    let rows = schema.encode(table([("genre", ["c|b", "unknown", "a|a"])]))
    #expect(rows == [1, 0, 1, 0, 0, 0, 0, 1, 0])
  }

  @Test func wholeNumbersAreCategoriesUnlessMany() {
    let few = FeatureSchema.fit(on: table([("stars", ["1", "2", "1", "2"])]))
    #expect(few.featureNames == ["stars=1", "stars=2"])
    let many = FeatureSchema.fit(on: table([("year", (1990..<2011).map { "\($0)" })]))
    #expect(many.featureNames == ["year"])
    // The mean 2000 becomes 0.
    #expect(many.encode(table([("year", ["2000"])])) == [0])
  }

  @Test func columnsThatTellNothingAreIgnored() {
    let schema = FeatureSchema.fit(
      on: table([
        ("same", ["x", "x", "x"]), ("id", ["p", "q", "r"]), ("empty", ["", "", ""]),
        ("flat", ["0.5", "0.5", "0.5"]), ("kind", ["u", "u", "v"]),
      ]))
    #expect(schema.ignored == ["same", "id", "empty", "flat"])
    #expect(schema.featureNames == ["kind=u"])
  }

  @Test func capRowsAndMissingColumns() {
    let source = table([("k", ["a", "a", "a", "b", "b", "c", "c", "d"])])
    #expect(FeatureSchema.fit(on: source, maximumCategories: 2).featureNames == ["k=a", "k=b"])
    #expect(FeatureSchema.fit(on: source, rows: [3, 4, 5]).featureNames == ["k=b"])
    let schema = FeatureSchema.fit(on: source)
    #expect(schema.encode(table([("other", ["a", "b"])])) == [Float](repeating: 0, count: 6))
  }

  @Test func codableAndApart() throws {
    let schema = FeatureSchema.fit(
      on: table([
        ("k", ["\u{E9}", "\u{E9}", "e\u{301}", "e\u{301}"]), ("n", ["1.5", "2", "3", "4"]),
      ]))
    #expect(schema.width == 3)
    let copy = try JSONDecoder().decode(FeatureSchema.self, from: JSONEncoder().encode(schema))
    #expect(copy == schema)
    #expect(copy.encode(table([("k", ["e\u{301}"])]))[..<2] == [1, 0])
  }
}
