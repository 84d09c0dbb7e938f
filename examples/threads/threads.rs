//! Counts the primes below a limit with several threads, three ways that use the shared memory
//! differently: joined results, one atomic counter, and a channel. All three must agree.
//!
//! Arguments: the limit (default 1000000) and the number of threads (default 4).

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{mpsc, Arc, Mutex};
use std::thread;

const CHUNK: usize = 10_000;

fn is_prime(n: usize) -> bool {
    n >= 2 && (2..).take_while(|d| d * d <= n).all(|d| n % d != 0)
}

fn count(from: usize, to: usize) -> usize {
    (from..to).filter(|n| is_prime(*n)).count()
}

/// Each thread takes a fixed share and returns its result.
fn by_join(limit: usize, threads: usize) -> usize {
    let share = limit.div_ceil(threads);
    let workers: Vec<_> = (0..threads)
        .map(|i| thread::spawn(move || count(i * share, limit.min((i + 1) * share))))
        .collect();
    workers.into_iter().map(|worker| worker.join().unwrap()).sum()
}

/// Threads take chunks from one atomic counter and add up under one lock.
fn by_atomics(limit: usize, threads: usize) -> usize {
    let next = Arc::new(AtomicUsize::new(0));
    let total = Arc::new(Mutex::new(0));
    let workers: Vec<_> = (0..threads)
        .map(|_| {
            let (next, total) = (next.clone(), total.clone());
            thread::spawn(move || loop {
                let from = next.fetch_add(CHUNK, Ordering::Relaxed);
                if from >= limit {
                    return;
                }
                let found = count(from, limit.min(from + CHUNK));
                *total.lock().unwrap() += found;
            })
        })
        .collect();
    workers.into_iter().for_each(|worker| worker.join().unwrap());
    let total = *total.lock().unwrap();
    total
}

/// Threads send what they find to the main thread, which waits on the channel.
fn by_channel(limit: usize, threads: usize) -> usize {
    let (sender, receiver) = mpsc::channel();
    for i in 0..threads {
        let sender = sender.clone();
        thread::spawn(move || {
            for from in (i * CHUNK..limit).step_by(threads * CHUNK) {
                sender.send(count(from, limit.min(from + CHUNK))).unwrap();
            }
        });
    }
    drop(sender);
    receiver.iter().sum()
}

fn argument(position: usize, default: usize) -> usize {
    match std::env::args().nth(position).map(|text| text.parse()) {
        None => default,
        Some(Ok(number)) if number > 0 => number,
        Some(_) => {
            eprintln!("usage: threads [LIMIT] [THREADS], both above 0");
            std::process::exit(2);
        }
    }
}

fn main() {
    let (limit, threads) = (argument(1, 1_000_000), argument(2, 4));
    println!("primes below {limit}, {threads} threads");
    let counts = [by_join(limit, threads), by_atomics(limit, threads), by_channel(limit, threads)];
    println!("joined {}, atomics {}, channel {}", counts[0], counts[1], counts[2]);
    if counts.iter().any(|count| *count != counts[0]) {
        eprintln!("threads: the counts differ");
        std::process::exit(1);
    }
}
