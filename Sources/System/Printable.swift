/// `text` so that a terminal shows it and does nothing else: control characters as `\x1b`, what reorders or hides text as
/// `\u{202e}`. Attackers write the lines and names that are shown.
public func printable(_ text: String) -> String {
  guard text.unicodeScalars.contains(where: isUnprintable) else { return text }
  var result = ""
  for scalar in text.unicodeScalars {
    guard isUnprintable(scalar) else {
      result.unicodeScalars.append(scalar)
      continue
    }
    let hex = String(scalar.value, radix: 16)
    result += scalar.value < 0x100 ? "\\x" + (hex.utf8.count < 2 ? "0" : "") + hex : "\\u{\(hex)}"
  }
  return result
}

/// The one list of characters that never reach a terminal, a mail or a page as they are: C0, DEL and C1, line and paragraph
/// separators, marks and overrides of direction, zero-width and filler characters, tags.
public func isUnprintable(_ scalar: Unicode.Scalar) -> Bool {
  switch scalar.value {
  case 0x20...0x7E: false
  case 0...0x1F, 0x7F...0x9F: true
  case 0xAD, 0x034F, 0x061C, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x180B...0x180F, 0x200B...0x200F, 0x2028...0x202E,
    0x2060...0x206F, 0x3164, 0xFEFF, 0xFFA0, 0xFFF0...0xFFFB, 0x1BCA0...0x1BCA3, 0x1D173...0x1D17A,
    0xE0000...0xE0FFF:
    true
  default: false
  }
}
