/// Stamps with a month in the language of the machine: strftime(3) writes `%b` so where a program sets its locale, as journalctl,
/// ProFTPD and Pure-FTPd do.
extension Stamp {
  /// `déc. 01 05:24:01`, `Okt 21 05:24:01`, `11月 21 05:24:01`, also with a year before the time.
  static func localized(_ line: borrowing Span<UInt8>, _ at: Int, _ f: inout Fields) -> Int? {
    var end = at
    while end < line.count, end - at <= longest, line[end] > UInt8(ascii: " ") { end += 1 }
    guard end > at, end - at <= longest, end < line.count, line[end] == UInt8(ascii: " ") else { return nil }
    let day = skipSpaces(line, end)
    guard day - end <= 2 else { return nil }
    var next = day
    while next < line.count, isDigit(line[next]) { next += 1 }
    guard next > day, next - day <= 2, next < line.count, line[next] == UInt8(ascii: " "),
      let number = number(line, day, next - day)
    else { return nil }
    var stamp = Fields()
    var stop = time(line, next + 1, &stamp)
    if stop == nil, let year = Self.number(line, next + 1, 4), next + 5 < line.count,
      line[next + 5] == UInt8(ascii: " ")
    {
      stamp.year = year
      stop = time(line, next + 6, &stamp)
    }
    guard let stop, let month = monthName(line, at..<end) else { return nil }
    stamp.month = month
    stamp.day = number
    f = stamp
    return stop
  }

  private static func monthName(_ line: borrowing Span<UInt8>, _ word: Range<Int>) -> Int? {
    let end = line[word.upperBound - 1] == UInt8(ascii: ".") ? word.upperBound - 1 : word.upperBound
    for (month, names) in names.enumerated() {
      for name in names where name.count == end - word.lowerBound {
        if name.indices.allSatisfy({ name[$0] == lowercased(line[word.lowerBound + $0]) }) { return month + 1 }
      }
    }
    return nil
  }

  private static func lowercased(_ byte: UInt8) -> UInt8 {
    byte &- UInt8(ascii: "A") < 26 ? byte | 0x20 : byte
  }

  private static let longest = 9

  /// The abbreviations of glibc's locales (`abmon`) with ASCII letters in lower case, without the period that some have. Where
  /// languages disagree (`lip`, `srp`, `lis`), they are Polish and Czech, not Croatian.
  private static let names: [[[UInt8]]] = [
    "1月 1월 ene gen ian jaan jan janv jän led oca saus sij sty tammi urt xan Ιαν сту січ янв яну јан",
    "2月 2월 feb febr fev févr helmi lut ots vas veebr velj úno Şub Φεβ лют феб фев",
    "3月 3월 bře kov maalis mac mar mars mrt márc mär märts ožu Μαρ бер мар сак",
    "4月 4월 abr api apr april avril bal dub d’abr huhti kwi nis tra ápr Απρ апр кві кра",
    "5月 5월 geg kvě mag mai maj may maí mei máj svi touko Μαΐ май мая мај тра",
    "6月 6월 birž cze eka giu haz iun juin jun juni juuni jún jūn kesä xuñ čen Ιουν июн чер чэр юни јун",
    "7月 7월 heinä iul juil jul juli juuli lip júl jūl liep lug tem uzt xul čec Ιουλ июл лип ліп юли јул",
    "8月 8월 abu ago agu août aug avg ağu d’ag elo kol ogos rugp sie srp ágú Αυγ авг жні сер",
    "9月 9월 eyl ira rugs ruj sep sept set syys szept wrz zář Σεπ вер сен сеп",
    "10月 10월 d’oct eki loka oct okt ott out paź spal urr říj Οκτ жов кас окт",
    "11月 11월 aza kas lapkr lis marras nov nóv stu Νοε лис ліс нов ное ноя",
    "12月 12월 abe ara dec des dets dez dic dis déc gru gruod joulu pro Δεκ гру дек дец сне",
  ].map { $0.split(separator: " ").map { Array($0.utf8) } }
}
