internal import CLinux
internal import Glibc

/// A named thread that runs one function to its end (pthreads(7)). It begins with the signal mask and in the network
/// namespace of the thread that starts it.
///
/// ```swift
/// let thread = ServiceThread("bailiff-read") { readUntilToldToStop() }
/// thread.join()
/// ```
public final class ServiceThread: Sendable {
  private let hasEnded = Monitor(false)

  /// - Parameter name: at most 15 bytes (pthread_setname_np(3)); `ps -L` and `top -H` show it.
  public init(_ name: String, _ body: @escaping @Sendable () -> Void) {
    // Safe: balanced by `takeRetainedValue` in the thread.
    let start = unsafe Unmanaged.passRetained(Start(name: name, body: body, hasEnded: hasEnded))
    var thread = pthread_t()
    var attributes = pthread_attr_t()
    // Safe: the attributes are initialised, used by one call and destroyed; the thread takes over the retained object.
    unsafe pthread_attr_init(&attributes)
    unsafe pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
    let code = unsafe pthread_create(&thread, &attributes, run, start.toOpaque())
    unsafe pthread_attr_destroy(&attributes)
    // The limits of this process do not allow another thread (EAGAIN): nothing of the program could go on.
    guard code == 0 else { fatalError("cannot start the thread \(name): \(SystemError.text(code))") }
  }

  /// Waits until the function has returned.
  public func join() { _ = hasEnded.wait { $0 ? true : nil } }

  /// Suspends the calling thread.
  public static func sleep(seconds: Double) {
    guard seconds > 0 else { return }
    var left = timespec(tv_sec: Int(seconds), tv_nsec: Int(seconds.truncatingRemainder(dividingBy: 1) * 1e9))
    var wanted = left
    // Safe: nanosleep(2) reads one struct and writes what is left to the other.
    while unsafe nanosleep(&wanted, &left) != 0, errno == EINTR { wanted = left }
  }
}

private final class Start {
  let name: String
  let body: @Sendable () -> Void
  let hasEnded: Monitor<Bool>

  init(name: String, body: @escaping @Sendable () -> Void, hasEnded: Monitor<Bool>) {
    self.name = name
    self.body = body
    self.hasEnded = hasEnded
  }
}

private func run(_ argument: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
  // Safe: `ServiceThread.init` retained the object for this thread alone.
  let start = unsafe Unmanaged<Start>.fromOpaque(argument!).takeRetainedValue()
  // Safe: the name is read during the call.
  unsafe pthread_setname_np(pthread_self(), start.name)
  start.body()
  start.hasEnded.change { $0 = true }
  return nil
}
