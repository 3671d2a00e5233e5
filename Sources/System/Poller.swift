internal import CLinux
internal import Glibc

/// epoll(7), level triggered: calls back for each descriptor that is ready.
@safe public final class Poller {
  private let descriptor: Descriptor
  private var handlers: [UInt64: () -> Void] = [:]
  /// The kernel knows a registration by its number, not by its descriptor, which may be another's by the time an event of it
  /// is taken.
  private var registrations: [Int32: UInt64] = [:]
  private var next: UInt64 = 0
  /// Safe: `epoll_event` is called unsafe for the pointer in its union, which is never used.
  private var events = unsafe [epoll_event](repeating: epoll_event(), count: 32)

  public init() throws(SystemError) {
    let raw = epoll_create1(Int32(EPOLL_CLOEXEC))
    guard raw >= 0 else { throw .last("create an epoll instance") }
    descriptor = Descriptor(raw)
  }

  /// False when the descriptor cannot be waited for (a regular file), which is always ready then.
  public func add(_ raw: Int32, onReady: @escaping () -> Void) -> Bool {
    next += 1
    // Safe: as above.
    var event = unsafe epoll_event(events: UInt32(EPOLLIN.rawValue), data: epoll_data_t(u64: next))
    // Safe: epoll_ctl(2) reads the struct during the call.
    guard unsafe epoll_ctl(descriptor.raw, EPOLL_CTL_ADD, raw, &event) == 0 else { return false }
    handlers[next] = onReady
    registrations[raw] = next
    return true
  }

  /// Before the descriptor is closed.
  public func remove(_ raw: Int32) {
    guard let registration = registrations.removeValue(forKey: raw) else { return }
    handlers[registration] = nil
    // Safe: EPOLL_CTL_DEL ignores its event since Linux 2.6.9.
    _ = epoll_ctl(descriptor.raw, EPOLL_CTL_DEL, raw, nil)
  }

  /// Waits until something is ready, or a point in time (monotonic seconds) is reached; infinity: as long as it takes.
  public func wait(until deadline: Double) {
    let left = deadline == 0 ? 0 : deadline - monotonicSeconds()
    let milliseconds = deadline == .infinity ? -1 : Int32(min(max(0, (left * 1000).rounded(.up)), 1e6))
    // Safe: epoll_wait(2) writes at most `count` events.
    let ready = unsafe events.withUnsafeMutableBufferPointer { buffer in
      unsafe epoll_wait(descriptor.raw, buffer.baseAddress, Int32(buffer.count), milliseconds)
    }
    guard ready > 0 else { return }
    // Safe: `data` was set as `u64` in `add`.
    for i in 0..<Int(ready) { handlers[unsafe events[i].data.u64]?() }
  }
}

/// eventfd(2): how another thread wakes the reader.
public struct WakeUp: ~Copyable, Sendable {
  public let descriptor: Descriptor

  public init() throws(SystemError) {
    let raw = eventfd(0, Int32(EFD_CLOEXEC | EFD_NONBLOCK))
    guard raw >= 0 else { throw .last("create an eventfd") }
    descriptor = Descriptor(raw)
  }

  public func signal() {
    var one: UInt64 = 1
    // Safe: write(2) reads the 8 bytes during the call. It fails only when the counter is full, that is, signalled.
    _ = unsafe write(descriptor.raw, &one, 8)
  }

  public func clear() {
    var count: UInt64 = 0
    // Safe: read(2) writes the 8 bytes during the call.
    _ = unsafe read(descriptor.raw, &count, 8)
  }
}
