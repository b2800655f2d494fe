//! The tables of `benches/accuracy` and `benches/peers` are Python with tests of its own, which run here.

use std::process::Command;

use mediaprep_tests::root;

/// What the modules need: `tomllib` came with Python 3.11.
fn has_python() -> bool {
    let found = Command::new("python3").args(["-c", "import tomllib"]).output();
    found.is_ok_and(|done| done.status.success())
}

/// Runs the tests of a folder, one of which is named.
fn run_tests(folder: &str, one: &str) {
    if !has_python() {
        println!("skipped: there is no python3 of 3.11 or newer");
        return;
    }
    let tests = root().join(folder);
    let mut command = Command::new("python3");
    let done = command.args(["-B", "-m", "unittest", "discover", "-v", "-s"]).arg(tests).output();
    let done = done.unwrap();
    let said = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "{said}");
    // unittest exits with 0 also where it has found nothing.
    assert!(said.contains(one), "no tests ran: {said}");
}

#[test]
fn the_tables_count_right() {
    run_tests("benches/accuracy", "test_the_snippet_rounds_both_sides_up");
}

#[test]
fn the_summary_of_speed_is_read_right() {
    run_tests("benches/peers", "test_the_whole_job_leaves_our_other_threads_and_the_goals_out");
}
