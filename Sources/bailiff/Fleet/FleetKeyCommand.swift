import ArgumentParser
import Cryptography
import Glibc
import Settings
import System

struct FleetKey: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "key",
    abstract: "An operator's key: made where there is none yet; its public part is printed.",
    discussion: """
      With it `ban`, `unban`, `allow` and `disallow` give orders to the whole fleet (--fleet). What is printed goes into `fleet: \
      {operators: […]}` of every server; the file stays with the operator, as `operator_key`.

      Example:
        bailiff fleet key /root/fleet-operator.key
      """)

  @Argument(help: "The file; nobody but its owner may read it.")
  var file: String

  func run() throws {
    let key: SigningKey
    if unsafe access(file, F_OK) == 0 {
      key = try SigningKey(file: file)
    } else {
      key = SigningKey()
      do { try SmallFile.replace(file, with: Array((Base64URL.text(key.seed) + "\n").utf8), mode: 0o600) } catch {
        throw CommandFailure(.rejected, "\(error)")
      }
    }
    var output = Output()
    output.line(Base64URL.text(key.publicKey))
    output.flush()
  }
}

extension SigningKey {
  init(file: String) throws(CommandFailure) {
    let text: String
    do { text = try Secret.file(file).read() } catch { throw CommandFailure(.usage, error.description) }
    guard let seed = Base64URL.bytes(text), let key = SigningKey(seed: seed) else {
      throw CommandFailure(.usage, "\(file) is no operator's key; make one: bailiff fleet key FILE")
    }
    self = key
  }
}
