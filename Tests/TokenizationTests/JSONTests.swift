import Testing
import Tokenization

@Suite struct JSONTests {
  private func parse(_ text: String) throws -> JSONValue { try JSONValue.parse(Array(text.utf8)) }

  @Test func valuesOfEachKind() throws {
    let text = #" {"a":[null,true,false,-0,12,-9223372036854775808,1.5,-2e-3,1E2],"b":{},"a":[] }"#
    let value = try parse(text)
    let list: JSONValue = [
      .null, true, false, 0, 12, .integer(Int64.min), 1.5, -0.002, .number(100),
    ]
    #expect(
      value
        == .object([JSONMember("a", list), JSONMember("b", [:]), JSONMember("a", [])]))
    #expect(value["a"] == list)
    #expect(value["a"]?[4]?.intValue == 12)
    #expect(value["a"]?[8]?.intValue == 100)
    #expect(value["a"]?[9] == nil && value["c"] == nil)
    // Beyond 64 bits a number is still a number.
    #expect(try parse("18446744073709551616") == .number(18_446_744_073_709_551_616))
  }

  @Test func stringsAndEscapes() throws {
    #expect(
      try parse(#""\"\\\/\b\f\n\r\t\u0041\u00e9\ud83d\ude00é😀""#)
        == .string("\"\\/\u{8}\u{C}\n\r\tAé😀é😀"))
    #expect(try parse(#""\u0000""#).stringValue?.utf8.count == 1)
    // Keys are bytes: the two spellings of à are two keys.
    let value = try parse(#"{"\u00e0":1,"a\u0300":2}"#)
    #expect(value["a\u{300}"] == 2)
    #expect(value["\u{E0}"] == 1)
  }

  @Test(
    arguments: [
      ("", "ends where a value"), ("{", "'\"' of a key"), ("[1,]", "not a value"),
      ("[1 2]", "',' or ']'"), (#"{"a" 1}"#, "':'"), (#"{"a":1,}"#, "'\"' of a key"),
      (#"{"a":1 "b":2}"#, "',' or '}'"), ("01", "malformed number"), ("-", "malformed number"),
      ("1.", "malformed number"), (".5", "not a value"), ("1e", "malformed number"),
      ("1e999", "out of range"), ("nul", "not a value"), ("1 2", "after the end"),
      (#""abc"#, "without an end"), (#""\x""#, "unknown escape"), (#""\u12g4""#, "four hex"),
      (#""\ud800""#, "surrogate"), (#""\ud800\u0041""#, "surrogate"), (#""\udc00""#, "surrogate"),
      ("\"a\nb\"", "control character"), ("\"\\n\u{1}\"", "control character"),
      ("NaN", "not a value"), (#""\"#, "unknown escape"),
    ])
  func malformedTextsAreRefused(text: String, message: String) {
    let error = #expect(throws: JSONError.self) { try parse(text) }
    #expect(error?.message.contains(message) == true, "\(error.map { "\($0)" } ?? "")")
  }

  @Test func errorsSayWhere() {
    #expect(throws: JSONError(message: "not a value", line: 3, offset: 10)) {
      try parse("{\n\"abcd\":\nx}")
    }
  }

  @Test func bytesThatArentUTF8AreRefused() {
    #expect(throws: JSONError(message: "bytes aren't UTF-8", line: 1, offset: 1)) {
      try JSONValue.parse([0x22, 0xFF, 0x22])
    }
  }

  @Test func depthIsLimited() throws {
    let deep = String(repeating: "[", count: 128) + String(repeating: "]", count: 128)
    #expect(try parse(deep).arrayValue?.count == 1)
    #expect(throws: JSONError.self) { try parse("[" + deep + "]") }
    #expect(throws: JSONError.self) { try parse(String(repeating: "{\"a\":", count: 1_000_000)) }
  }

  @Test func repeatedKeysAreRejectedOnRequest() throws {
    let text = Array(#"{"a":{"b":1,"c":2},"b":3,"a":4}"#.utf8)
    #expect(try JSONValue.parse(text).objectValue?.count == 3)
    #expect(throws: JSONError.self) { try JSONValue.parse(text, rejectDuplicateKeys: true) }
    let fine = Array(#"{"a":{"b":1,"c":2},"b":3,"\u00e0":4,"a\u0300":5}"#.utf8)
    #expect(try JSONValue.parse(fine, rejectDuplicateKeys: true).objectValue?.count == 4)
  }

  @Test func writtenTexts() throws {
    let value: JSONValue = [
      "empty": [[:], []], "text": "a\"\\\n\r\t\u{8}\u{C}\u{1}\u{1f}é/", "number": 1e-12,
      "half": 0.5, "whole": -3, "nothing": .null, "yes": true, "nan": .number(.nan),
    ]
    let compact =
      #"{"empty":[{},[]],"text":"a\"\\\n\r\t\b\f\u0001\u001fé/","number":1e-12,"#
      + #""half":0.5,"whole":-3,"nothing":null,"yes":true,"nan":null}"#
    #expect(String(decoding: value.serialized(), as: UTF8.self) == compact)
    let pretty = "{\n  \"a\": [\n    1,\n    {}\n  ],\n  \"b\": {\n    \"c\": \"d\"\n  }\n}"
    let small: JSONValue = ["a": [1, [:]], "b": ["c": "d"]]
    #expect(String(decoding: small.serialized(pretty: true), as: UTF8.self) == pretty)
    #expect(try JSONValue.parse(small.serialized(pretty: true)) == small)
  }
}
