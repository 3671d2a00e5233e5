internal import CLinux
internal import Glibc

/// State behind a lock, and threads that wait until it has changed (pthread_cond_timedwait(3), by the monotonic clock).
///
/// ```swift
/// let inbox = Monitor([Int]())
/// inbox.change { $0.append(7) }
/// let first = inbox.wait(for: 1) { $0.popLast() }   // 7
/// ```
// Unchecked: `state` is touched only while `mutex` is locked.
@safe public final class Monitor<State>: @unchecked Sendable {
  private let mutex: UnsafeMutablePointer<pthread_mutex_t>
  private let condition: UnsafeMutablePointer<pthread_cond_t>
  private var state: State

  public init(_ state: sending State) {
    self.state = state
    // Safe: both are initialised here, never moved, and destroyed in deinit, when nobody can wait any more.
    unsafe mutex = .allocate(capacity: 1)
    unsafe condition = .allocate(capacity: 1)
    unsafe mutex.initialize(to: pthread_mutex_t())
    unsafe condition.initialize(to: pthread_cond_t())
    unsafe pthread_mutex_init(mutex, nil)
    var attributes = pthread_condattr_t()
    // Safe: initialised, used by one call, and destroyed.
    unsafe pthread_condattr_init(&attributes)
    unsafe pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
    unsafe pthread_cond_init(condition, &attributes)
    unsafe pthread_condattr_destroy(&attributes)
  }

  deinit {
    // Safe: the counterparts of what `init` did.
    unsafe pthread_cond_destroy(condition)
    unsafe pthread_mutex_destroy(mutex)
    unsafe condition.deallocate()
    unsafe mutex.deallocate()
  }

  /// Looks at the state, or changes it in a way that nobody waits for.
  public func withLock<Result>(_ body: (inout State) throws -> Result) rethrows -> Result {
    lock()
    defer { unlock() }
    return try body(&state)
  }

  /// Changes the state and wakes those who wait.
  public func change<Result>(_ body: (inout State) throws -> Result) rethrows -> Result {
    lock()
    defer {
      // Safe: the condition lives as long as this object.
      unsafe pthread_cond_broadcast(condition)
      unlock()
    }
    return try body(&state)
  }

  /// Calls `body` at once and after each change until it returns something, for at most `seconds`; nil when time is over.
  /// What `body` changes wakes other waiting threads.
  public func wait<Result>(for seconds: Double = .infinity, _ body: (inout State) throws -> Result?) rethrows -> Result?
  {
    lock()
    defer { unlock() }
    let deadline = seconds.isFinite ? Self.deadline(after: seconds) : nil
    while true {
      if let result = try body(&state) {
        // Safe: as above.
        unsafe pthread_cond_broadcast(condition)
        return result
      }
      guard sleep(until: deadline) else { return try body(&state) }
    }
  }

  private func lock() {
    // Safe: the mutex lives as long as this object.
    unsafe pthread_mutex_lock(mutex)
  }

  private func unlock() {
    // Safe: as above; locked by this thread.
    unsafe pthread_mutex_unlock(mutex)
  }

  /// False when the time is over.
  private func sleep(until deadline: timespec?) -> Bool {
    // Safe: called with the mutex locked, as pthread_cond_wait(3) wants it.
    guard var deadline else { return unsafe pthread_cond_wait(condition, mutex) == 0 }
    return unsafe pthread_cond_timedwait(condition, mutex, &deadline) == 0
  }

  private static func deadline(after seconds: Double) -> timespec {
    var time = timespec()
    // Safe: clock_gettime(2) fills the struct it is given.
    unsafe clock_gettime(CLOCK_MONOTONIC, &time)
    // A year is as good as any longer time, and cannot overflow.
    let nanoseconds = Int(min(max(seconds, 0), 31_536_000) * 1e9) + time.tv_nsec
    return timespec(tv_sec: time.tv_sec + nanoseconds / 1_000_000_000, tv_nsec: nanoseconds % 1_000_000_000)
  }
}
