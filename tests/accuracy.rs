//! The accuracy tables of `benches/accuracy` are Python with tests of its own, which run here.

use std::process::Command;

use mediaprep_tests::root;

/// What the modules need: `tomllib` came with Python 3.11.
fn has_python() -> bool {
    let found = Command::new("python3").args(["-c", "import tomllib"]).output();
    found.is_ok_and(|done| done.status.success())
}

#[test]
fn the_tables_count_right() {
    if !has_python() {
        println!("skipped: there is no python3 of 3.11 or newer");
        return;
    }
    let tests = root().join("benches/accuracy");
    let mut command = Command::new("python3");
    let done = command.args(["-B", "-m", "unittest", "discover", "-v", "-s"]).arg(tests).output();
    let done = done.unwrap();
    let said = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "{said}");
    // unittest exits with 0 also where it has found nothing.
    assert!(said.contains("test_the_snippet_rounds_both_sides_up"), "no tests ran: {said}");
}
