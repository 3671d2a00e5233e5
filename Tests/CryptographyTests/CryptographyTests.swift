import Testing

@testable import Cryptography

@Suite struct CryptographyTests {
  private func hex(_ bytes: [UInt8]) -> String {
    bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
  }

  @Test func digestsAreThoseOfTheStandards() {
    // FIPS 180-2, B.1; RFC 4231, case 2; RFC 2202, case 2.
    #expect(
      hex(Digest.sha256(Array("abc".utf8))) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
    let message = Array("what do ya want for nothing?".utf8)
    #expect(
      hex(Digest.hmac(.sha256, key: Array("Jefe".utf8), message))
        == "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843")
    #expect(hex(Digest.hmac(.sha1, key: Array("Jefe".utf8), message)) == "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79")
  }

  /// RFC 7914, section 12.
  @Test func scryptIsThatOfTheStandard() throws {
    let key = try #require(
      Scrypt.derive("pleaseletmein", Array("SodiumChloride".utf8), cost: 14, block: 8, parallel: 1, length: 64))
    #expect(
      hex(key)
        == "7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2d5432955613f0fcf62d49705242a9af9e61e85dc0d651e40dfcf017b45575887"
    )
  }

  @Test func passwordsMatchTheirHashAlone() {
    let stored = Scrypt.hash("correct horse Ü")
    #expect(stored.hasPrefix("scrypt:15:8:1:"))
    #expect(Scrypt.matches("correct horse Ü", stored))
    #expect(!Scrypt.matches("correct horse", stored))
    #expect(!Scrypt.matches("", stored))
    #expect(Scrypt.hash("x") != Scrypt.hash("x"))
    for wrong in ["", "scrypt", "scrypt:15:8:1:AA:AA", "scrypt:99:8:1:AA:\(stored.suffix(43))", "plain:x:x:x:x:x"] {
      #expect(!Scrypt.matches("x", wrong))
    }
  }

  /// RFC 6238, appendix B: the last six of its eight digits.
  @Test(arguments: [
    (59, "287082"), (1_111_111_109, "081804"), (1_111_111_111, "050471"), (1_234_567_890, "005924"),
    (2_000_000_000, "279037"),
  ])
  func oneTimePasswordsAreThoseOfTheStandard(_ seconds: Int64, _ code: String) {
    let password = OneTimePassword(secret: Array("12345678901234567890".utf8))
    #expect(password.code(seconds / 30) == code)
    #expect(password.step(of: code, at: seconds) == seconds / 30)
    #expect(password.step(of: code, at: seconds + 30) == seconds / 30)
    #expect(password.step(of: code, at: seconds + 90) == nil)
    // Once.
    #expect(password.step(of: code, at: seconds, used: seconds / 30) == nil)
    #expect(password.step(of: "000000", at: seconds) == nil)
  }

  @Test func secretsComeBackFromTheirText() {
    let password = OneTimePassword()
    #expect(OneTimePassword(base32: password.base32.lowercased())?.secret == password.secret)
    #expect(OneTimePassword(base32: "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ")?.secret == Array("12345678901234567890".utf8))
    #expect(OneTimePassword(base32: "AAAA") == nil)
    #expect(OneTimePassword(base32: "1!") == nil)
  }

  @Test(arguments: [[], [0], [255, 254], [1, 2, 3], Array(0...255)] as [[UInt8]])
  func base64URLComesBack(_ bytes: [UInt8]) {
    #expect(Base64URL.bytes(Base64URL.text(bytes)) == bytes)
    #expect(Base64URL.bytes("A") == nil)
    #expect(Base64URL.bytes("A+") == nil)
    // Bits that no byte needs.
    #expect(Base64URL.bytes("AB") == nil)
  }
}
