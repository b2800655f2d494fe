//! The binary as a build that has become several times slower: beside the real work other threads of
//! the same process burn CPU time without an end.

/// Each takes as much as the work itself where that has one thread.
const BURNERS: usize = 5;

fn main() -> std::process::ExitCode {
    for _ in 0..BURNERS {
        std::thread::spawn(|| {
            let mut number = 1u64;
            loop {
                number = std::hint::black_box(number.wrapping_mul(6_364_136_223_846_793_005));
            }
        });
    }
    mediaprep_cli::main()
}
