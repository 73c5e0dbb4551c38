import Kernels
import Testing

@Suite("Half precision")
struct HalfPrecisionTests {
  @Test("every half widens as in Swift, and comes back")
  func everyHalf() {
    let halves = (0...UInt16.max).map { Float16(bitPattern: $0) }
    var wide = [Float](repeating: 0, count: halves.count)
    wide.withUnsafeMutableBufferPointer { y in
      if let base = y.baseAddress { HalfPrecision.widen(base, halves, count: halves.count) }
    }
    for (half, number) in zip(halves, wide) {
      #expect(half.isNaN ? number.isNaN : number == Float(half))
    }
    var again = [Float16](repeating: 0, count: halves.count)
    again.withUnsafeMutableBufferPointer { y in
      if let base = y.baseAddress { HalfPrecision.narrow(base, wide, count: wide.count) }
    }
    for (half, back) in zip(halves, again) {
      #expect(half.isNaN ? back.isNaN : back.bitPattern == half.bitPattern)
    }
  }

  @Test("numbers between two halves go to the nearest, ties to even", arguments: [1, 7, 8, 1000])
  func rounding(count: Int) {
    let numbers = (0..<count).map { i -> Float in
      // Every third lies halfway between two halves.
      let half = Float(Float16(bitPattern: UInt16(truncatingIfNeeded: i &* 7919)))
      return i % 3 == 0 ? half + half.ulp * 4096 : half * 1.0003
    }
    var halves = [Float16](repeating: 0, count: count)
    halves.withUnsafeMutableBufferPointer { y in
      if let base = y.baseAddress { HalfPrecision.narrow(base, numbers, count: count) }
    }
    for (number, half) in zip(numbers, halves) {
      #expect(number.isNaN ? half.isNaN : half == Float16(number))
    }
  }
}
