import ArgumentParser

@main
struct Bailiff: AsyncParsableCommand {
  func run() async throws {}
}
