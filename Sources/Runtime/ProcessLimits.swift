internal import CLinux

/// What the system grants this process.
package enum ProcessLimits {
    /// Raises the number of descriptors to the most the system lets it have, and returns it: ten
    /// thousand event streams need more than the usual 1024.
    @discardableResult
    package static func raiseDescriptors() -> UInt64 { freshet_raise_descriptor_limit() }
}
