/// What can be a statement's parameter.
public protocol Bindable {
  func bind(to statement: Statement, at index: Int32)
}

/// What a row's column can be read as.
public protocol ColumnValue {
  init(_ column: Int, of row: Row)
}

extension Int64: Bindable, ColumnValue {
  public func bind(to statement: Statement, at index: Int32) { statement.bind(self, index) }
  public init(_ column: Int, of row: Row) { self = row.integer(column) }
}

extension Int: Bindable, ColumnValue {
  public func bind(to statement: Statement, at index: Int32) { statement.bind(Int64(self), index) }
  public init(_ column: Int, of row: Row) { self = Int(clamping: row.integer(column)) }
}

extension UInt32: Bindable, ColumnValue {
  public func bind(to statement: Statement, at index: Int32) { statement.bind(Int64(self), index) }
  public init(_ column: Int, of row: Row) { self = UInt32(truncatingIfNeeded: row.integer(column)) }
}

extension Double: Bindable, ColumnValue {
  public func bind(to statement: Statement, at index: Int32) { statement.bind(self, index) }
  public init(_ column: Int, of row: Row) { self = row.double(column) }
}

/// As TEXT.
extension String: Bindable, ColumnValue {
  public func bind(to statement: Statement, at index: Int32) { statement.bind(self, index) }

  /// What is not UTF-8 is replaced.
  public init(_ column: Int, of row: Row) { self.init(decoding: [UInt8](column, of: row), as: UTF8.self) }
}

/// As BLOB.
extension [UInt8]: Bindable, ColumnValue {
  public func bind(to statement: Statement, at index: Int32) { statement.bind(blob: span, index) }

  /// The bytes of a TEXT or a BLOB.
  public init(_ column: Int, of row: Row) {
    self = row.withBytes(column) { bytes in
      unsafe bytes.withUnsafeBufferPointer { unsafe Array($0) }
    }
  }
}

extension Optional: ColumnValue where Wrapped: ColumnValue {
  public init(_ column: Int, of row: Row) { self = row.isNull(column) ? nil : Wrapped(column, of: row) }
}
