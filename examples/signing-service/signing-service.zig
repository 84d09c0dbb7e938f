//! A service that signs statements with a key that only the Keep holds. TLS ends in the Keep's runtime, which also proves
//! to clients what runs here; this program sees plain HTTP and a secret, and never tells the secret.
//!
//!     GET /key     the public key (Ed25519), in hex
//!     POST /sign   the signature of the body, in hex
//!     POST /stop   ends the service, for trying it out
//!
//! One request per connection, one connection at a time, each with little time: enough to show how it is done.

const std = @import("std");
const wasi = std.os.wasi;
const Ed25519 = std.crypto.sign.Ed25519;

/// The first descriptor after stdin, stdout and stderr: the one listener of the manifest.
const listener = 3;
const request_bytes_max = 64 * 1024;
const request_ns_max = 2 * std.time.ns_per_s;

var environment: [64 * 1024]u8 = undefined;
var request: [request_bytes_max]u8 = undefined;

const Request = struct { method: []const u8, path: []const u8, body: []const u8 };

pub fn main() u8 {
    serve() catch |err| {
        print(2, "signing-service: {s}\n", .{@errorName(err)});
        return 1;
    };
    return 0;
}

fn serve() !void {
    const keys = try readKey();
    print(1, "signing-service: ready, public key {x}\n", .{&keys.public_key.toBytes()});
    while (true) {
        var connection: wasi.fd_t = undefined;
        switch (wasi.sock_accept(listener, .{}, &connection)) {
            .SUCCESS => {},
            .AGAIN => {
                _ = try waitToRead(listener, null);
                continue;
            },
            else => return error.AcceptFailed,
        }
        defer _ = wasi.fd_close(connection);
        const stop = answer(connection, keys) catch |err| failed: {
            print(2, "signing-service: a client failed: {s}\n", .{@errorName(err)});
            break :failed false;
        };
        if (stop) return;
    }
}

/// Answers whether a client asked the service to end.
fn answer(connection: wasi.fd_t, keys: Ed25519.KeyPair) !bool {
    const asked = readRequest(connection) catch |err| {
        try reply(connection, "400 Bad Request", "No request that this service understands.");
        return err;
    };
    const is_post = std.mem.eql(u8, asked.method, "POST");
    if (std.mem.eql(u8, asked.path, "/key") and !is_post) {
        try reply(connection, "200 OK", &std.fmt.bytesToHex(keys.public_key.toBytes(), .lower));
    } else if (std.mem.eql(u8, asked.path, "/sign") and is_post) {
        const signature = try keys.sign(asked.body, null);
        try reply(connection, "200 OK", &std.fmt.bytesToHex(signature.toBytes(), .lower));
    } else if (std.mem.eql(u8, asked.path, "/stop") and is_post) {
        try reply(connection, "200 OK", "Stopping.");
        return true;
    } else {
        try reply(connection, "404 Not Found", "GET /key or POST /sign");
    }
    return false;
}

/// The head up to the empty line, and as many bytes of body as it says.
fn readRequest(connection: wasi.fd_t) !Request {
    const deadline = now() + request_ns_max;
    var size: usize = 0;
    while (true) {
        if (std.mem.indexOf(u8, request[0..size], "\r\n\r\n")) |head_end| {
            const head = request[0..head_end];
            const body_start = head_end + 4;
            const body_size = try bodySize(head);
            if (body_size > request.len - body_start) return error.RequestTooLarge;
            const body_end = body_start + body_size;
            if (size >= body_end) {
                var words = std.mem.splitScalar(u8, head, ' ');
                return .{ .method = words.first(), .path = words.next() orelse "", .body = request[body_start..body_end] };
            }
        }
        if (size == request.len) return error.RequestTooLarge;
        if (!try waitToRead(connection, deadline)) return error.RequestTooSlow;
        var count: usize = 0;
        const target = wasi.iovec_t{ .base = request[size..].ptr, .len = request.len - size };
        switch (wasi.fd_read(connection, @ptrCast(&target), 1, &count)) {
            .SUCCESS => if (count == 0) return error.RequestCut,
            .AGAIN => {},
            else => return error.ReadFailed,
        }
        size += count;
    }
}

fn bodySize(head: []const u8) !usize {
    var lines = std.mem.splitSequence(u8, head, "\r\n");
    while (lines.next()) |line| {
        const colon = std.mem.indexOfScalar(u8, line, ':') orelse continue;
        if (!std.ascii.eqlIgnoreCase(line[0..colon], "content-length")) continue;
        return std.fmt.parseInt(usize, std.mem.trim(u8, line[colon + 1 ..], " \t"), 10);
    }
    return 0;
}

fn reply(connection: wasi.fd_t, status: []const u8, text: []const u8) !void {
    var head: [512]u8 = undefined;
    const form = "HTTP/1.1 {s}\r\nContent-Type: text/plain\r\nContent-Length: {d}\r\nConnection: close\r\n\r\n{s}\n";
    try write(connection, try std.fmt.bufPrint(&head, form, .{ status, text.len + 1, text }));
}

fn write(fd: wasi.fd_t, text: []const u8) !void {
    var rest = text;
    while (rest.len > 0) {
        var size: usize = 0;
        const source = wasi.ciovec_t{ .base = rest.ptr, .len = rest.len };
        switch (wasi.fd_write(fd, @ptrCast(&source), 1, &size)) {
            .SUCCESS => rest = rest[size..],
            else => return error.WriteFailed,
        }
    }
}

fn print(fd: wasi.fd_t, comptime form: []const u8, values: anytype) void {
    var line: [256]u8 = undefined;
    write(fd, std.fmt.bufPrint(&line, form, values) catch return) catch {};
}

/// Waits until there is something to read; false when `deadline` (nanoseconds, monotonic) comes first.
fn waitToRead(fd: wasi.fd_t, deadline: ?u64) !bool {
    const subscriptions = [_]wasi.subscription_t{
        .{ .userdata = 0, .u = .{ .tag = .FD_READ, .u = .{ .fd_read = .{ .fd = fd } } } },
        .{ .userdata = 1, .u = .{ .tag = .CLOCK, .u = .{ .clock = .{
            .id = .MONOTONIC,
            .timeout = deadline orelse 0,
            .precision = 0,
            .flags = wasi.SUBSCRIPTION_CLOCK_ABSTIME,
        } } } },
    };
    var events: [2]wasi.event_t = undefined;
    var count: usize = 0;
    const wanted: usize = if (deadline == null) 1 else 2;
    if (wasi.poll_oneoff(&subscriptions[0], &events[0], wanted, &count) != .SUCCESS) return error.PollFailed;
    for (events[0..count]) |event| if (event.userdata == 0) return true;
    return false;
}

fn now() u64 {
    var time: wasi.timestamp_t = 0;
    _ = wasi.clock_time_get(.MONOTONIC, 0, &time);
    return time;
}

fn readKey() !Ed25519.KeyPair {
    const text = try findVariable("SIGNING_KEY");
    var seed: [Ed25519.KeyPair.seed_length]u8 = undefined;
    const digits = std.mem.trim(u8, text, " \r\n");
    if (digits.len != 2 * seed.len) return error.SecretMustBe32BytesInHex;
    _ = std.fmt.hexToBytes(&seed, digits) catch return error.SecretMustBe32BytesInHex;
    return Ed25519.KeyPair.generateDeterministic(seed);
}

fn findVariable(name: []const u8) ![]const u8 {
    var count: usize = 0;
    var size: usize = 0;
    var pointers: [256][*:0]u8 = undefined;
    if (wasi.environ_sizes_get(&count, &size) != .SUCCESS) return error.NoEnvironment;
    if (count > pointers.len or size > environment.len) return error.EnvironmentTooLarge;
    if (wasi.environ_get(&pointers, &environment) != .SUCCESS) return error.NoEnvironment;
    for (pointers[0..count]) |pointer| {
        const entry = std.mem.span(pointer);
        const equals = std.mem.indexOfScalar(u8, entry, '=') orelse continue;
        if (std.mem.eql(u8, entry[0..equals], name)) return entry[equals + 1 ..];
    }
    return error.SecretNotGiven;
}
