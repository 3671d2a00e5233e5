/// A zone as a stamp or `logtimezone` names it: an offset (`+0200`, `-05:00`), an abbreviation with a fixed offset (`CET`,
/// never summer time), or both (`UTC+0200`).
package enum ZoneName {
  /// Seconds east of UTC of an abbreviation (`CEST`); nil for what is none or not known.
  package static func abbreviated(_ name: String) -> Int? {
    name.utf8.allSatisfy { $0 >= 65 && $0 <= 90 } ? offset(Array(name.utf8).span) : nil
  }

  /// Seconds east of UTC; nil for what is not known.
  static func offset(_ text: borrowing Span<UInt8>) -> Int? {
    var at = 0
    while at < text.count, text[at] >= 65, text[at] <= 90 { at += 1 }
    var seconds = 0
    if at > 0 {
      guard let known = abbreviation(text, length: at) else { return nil }
      seconds = known
    }
    guard at < text.count else { return at > 0 ? seconds : nil }
    guard let offset = numeric(text, from: at) else { return nil }
    return seconds + offset
  }

  /// `+02`, `+0200`, `+02:00`.
  private static func numeric(_ text: borrowing Span<UInt8>, from start: Int) -> Int? {
    let negative = text[start] == UInt8(ascii: "-")
    guard negative || text[start] == UInt8(ascii: "+") else { return nil }
    var digits = 0
    var value = 0
    for at in start + 1..<text.count {
      let byte = text[at]
      if byte == UInt8(ascii: ":"), digits == 2, at == start + 3 { continue }
      guard byte >= 48, byte <= 57, digits < 4 else { return nil }
      value = value * 10 + Int(byte - 48)
      digits += 1
    }
    guard digits == 2 || digits == 4 else { return nil }
    let minutes = digits == 2 ? value * 60 : value / 100 * 60 + value % 100
    return (negative ? -minutes : minutes) * 60
  }

  private static func abbreviation(_ text: borrowing Span<UInt8>, length: Int) -> Int? {
    guard length <= 5 else { return nil }
    if length == 1 { return military(text[0]) }
    var key: UInt64 = 0
    for at in 0..<length { key = key << 8 | UInt64(text[at]) }
    return known[key].map { $0 * 60 }
  }

  /// The zones of RFC 1233's letters: A to M without J eastwards, N to Y westwards, Z is UTC.
  private static func military(_ letter: UInt8) -> Int? {
    let n = Int(letter) - 64
    return switch letter {
    case UInt8(ascii: "Z"): 0
    case 65...73: n * 3600
    case 75...77: (n - 1) * 3600
    case 78...89: (13 - n) * 3600
    default: nil
    }
  }

  /// Minutes east of UTC. Where an abbreviation has several meanings, it is the one that fail2ban gives it.
  private static let known: [UInt64: Int] = {
    let names: [(Int, String)] = [
      (-660, "NUT SST"), (-600, "CKT HST TAHT"), (-570, "MART MIT"), (-540, "AKST GAMT HADT"), (-480, "AKDT PST PT"),
      (-420, "MST PDT"), (-360, "CST EAST GALT MDT"), (-300, "CDT COT EASST ECT EST ET PET"), (-270, "VET HLV"),
      (-240, "AST BOT CLT COST EDT FKT GYT PYT"), (-210, "NST NT HNT"),
      (-180, "ADT ART BRT CLST FKST GFT PMST PYST SRT UYT WGT"),
      (-150, "NDT HAT"), (-120, "BRST FNT PMDT UYST WGST"), (-60, "AZOT CVT EGT"), (0, "UTC GMT WET EGST WT"),
      (60, "CET WAT WEST DFT WEDT"), (120, "CEST EET CAT SAST WAST CEDT"), (180, "EEST MSK EAT EEDT IDT"),
      (210, "IRST"),
      (240, "MSD AMT AZT GET GST KUYT MUT RET SAMT SCT"), (270, "AFT IRDT"),
      (300, "AMST AQTT AZST HMT MAWT MVT PKT TFT TJT TMT UZT YEKT"), (330, "SLT"), (345, "NPT"),
      (360, "ALMT BIOT BTT IOT KGT NOVT OMST YEKST"), (390, "CCT MMT"),
      (420, "CXT DAVT HOVT ICT KRAT NOVST OMSST THA WIB"),
      (480, "ACT AWST BDT BNT CAST HKT IRKT KRAST MYT PHT SGT ULAT WITA WST"),
      (540, "AWDT IRKST JST KST PWT TLT WDT WIT YAKT"), (570, "ACST"), (600, "AEST PGT VLAT YAKST YAPT"),
      (630, "ACDT LHST"), (660, "AEDT LHDT MAGT NCT PONT SBT VLAST VUT"), (690, "NFT"),
      (720, "ANAST ANAT FJT GILT MAGST MHT NZST PETST PETT TVT WFT"), (780, "NZDT FJST"),
    ]
    var table: [UInt64: Int] = [:]
    for (minutes, list) in names {
      for name in list.split(separator: " ") {
        table[name.utf8.reduce(0) { $0 << 8 | UInt64($1) }] = minutes
      }
    }
    return table
  }()
}
