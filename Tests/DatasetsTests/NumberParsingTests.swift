import Datasets
import Foundation
import Testing

@Suite struct NumberParsingTests {
  private func parse(_ text: String) -> Double? {
    Array(text.utf8).withUnsafeBufferPointer { parseDouble($0) }
  }

  private func time(_ text: String) -> Double? {
    Array(text.utf8).withUnsafeBufferPointer { parseTimestamp($0) }
  }

  @Test(arguments: [
    "0", "-0", "1", "3.5", ".5", "5.", "+7", "0.1", "0.1234565", "12345.65", "123456789012345",
    "9007199254740993", "1e5", "1E-7", "-2.5e+3", "179769313486231570000", "3.14159265358979323846",
    "0.000000000000001", "00012.50", "inf", "-inf",
  ])
  func numbersAsTheCLibraryReadsThem(text: String) {
    #expect(parse(text) == strtod(text, nil))
  }

  @Test func blanksAroundAreAllowed() {
    #expect(parse(" 4\t") == 4)
    #expect(parse("nan")?.isNaN == true)
  }

  @Test(arguments: ["", " ", "-", ".", "1,5", "1 2", "0x10", "abc", "1e", "--1", "nan(1)", "1.2.3"])
  func otherTextIsNotANumber(text: String) {
    #expect(parse(text) == nil)
  }

  /// From Python's `datetime.fromisoformat(...).replace(tzinfo=utc).timestamp()`.
  @Test(arguments: [
    ("1970-01-01", 0), ("2000-02-29", 951_782_400), ("1969-12-31T23:59:59", -1),
    ("2011-12-09 12:50", 1_323_435_000), ("2011-12-09T12:50:00Z", 1_323_435_000),
    ("2011-12-09T12:50:00.25Z", 1_323_435_000.25), ("2011-12-09T12:50:00+01:00", 1_323_431_400),
    ("2011-12-09T12:50:00-0530", 1_323_454_800), ("1900-03-01", -2_203_891_200),
    ("1323435000", 1_323_435_000), ("1.5e9", 1_500_000_000),
  ])
  func times(text: String, seconds: Double) {
    #expect(time(text) == seconds)
  }

  @Test(arguments: [
    "", "2011-13-01", "2011-00-01", "2011-1-1", "09/12/2011", "2011-12-09T", "2011-12-09T12:50x",
    "2011-12-09 25:00",
  ])
  func otherTextIsNotATime(text: String) {
    #expect(time(text) == nil)
  }
}
