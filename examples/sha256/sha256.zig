//! Reads stdin to its end and prints its SHA-256 and size, as a check of whole streams through a
//! Keep. Talks WASI directly: no library beyond the hash.

const std = @import("std");
const wasi = std.os.wasi;

const stdin = 0;
const stdout = 1;
const stderr = 2;

var buffer: [64 * 1024]u8 = undefined;

fn read() ![]const u8 {
    var size: usize = 0;
    const target = wasi.iovec_t{ .base = &buffer, .len = buffer.len };
    return switch (wasi.fd_read(stdin, @ptrCast(&target), 1, &size)) {
        .SUCCESS => buffer[0..size],
        else => error.ReadFailed,
    };
}

fn write(fd: wasi.fd_t, text: []const u8) !void {
    var rest = text;
    while (rest.len > 0) {
        var size: usize = 0;
        const source = wasi.ciovec_t{ .base = rest.ptr, .len = rest.len };
        if (wasi.fd_write(fd, @ptrCast(&source), 1, &size) != .SUCCESS) return error.WriteFailed;
        rest = rest[size..];
    }
}

fn run() !void {
    var hash = std.crypto.hash.sha2.Sha256.init(.{});
    var total: u64 = 0;
    while (true) {
        const chunk = try read();
        if (chunk.len == 0) break;
        hash.update(chunk);
        total += chunk.len;
    }
    const digest = hash.finalResult();
    var line: [128]u8 = undefined;
    try write(stdout, try std.fmt.bufPrint(&line, "{x}  {d} bytes\n", .{ &digest, total }));
}

pub fn main() u8 {
    run() catch |err| {
        write(stderr, "sha256: ") catch {};
        write(stderr, @errorName(err)) catch {};
        write(stderr, "\n") catch {};
        return 1;
    };
    return 0;
}
