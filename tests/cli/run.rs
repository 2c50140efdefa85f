//! `run`: an image on the host and on emulated boards.

use crate::*;

#[test]
fn agrees_with_the_emulation_and_takes_codes_from_files() {
    let dir = Dir::new();
    build(&dir, "trunc6", "a.skimp");
    let set = dir.skimp("run a.skimp --board host --inputs fashion-mnist --images 200 --json").json();
    assert_eq!(set["board"], "host");
    assert_eq!(set["images"], 200);
    assert_eq!(set["logits_differing"], 0);
    assert!(list(&set, "logits").iter().all(|logits| logits.as_array().unwrap().len() == 10));
    let line = format!("evaluate fashion-cnn {FEW} --multiplier trunc6 --no-float --json");
    assert_eq!(dir.skimp(&line).json()["accuracy_approx"], set["accuracy"]);

    // This network's input is coded as pixels are.
    dir.write("codes", test_images(20));
    let codes = dir.skimp("run a.skimp --board host --inputs codes --json").json();
    assert_eq!(codes["images"], 20);
    assert_eq!(codes["logits_differing"], 0);
    assert!(codes.get("accuracy").is_none(), "labels are not known: {codes}");
    assert_eq!(list(&codes, "logits"), &list(&set, "logits")[..20]);
}

#[test]
fn prints_a_summary() {
    let dir = Dir::new();
    build(&dir, "exact", "a.skimp");
    let run = dir.skimp("run a.skimp --board host --inputs fashion-mnist --images 20").ok();
    run.check(run.stdout.starts_with("host: 20 images\n"), "how many images");
    run.check(run.stdout.contains("other logits than on the host: 0"), "how many differ");
    run.check(run.stdout.contains("accuracy "), "the accuracy");
}

#[test]
fn inputs_and_boards_that_do_not_fit_are_refused() {
    let dir = Dir::new();
    build(&dir, "exact", "a.skimp");
    dir.write("short", vec![0; 2 * INPUT - 1]);
    dir.folder("empty");
    let run = |rest: &str| dir.skimp(&format!("run a.skimp {rest}"));
    run("--board host --inputs short").refused(&["1567 bytes", "784"]);
    run("--board host --inputs nosuch").refused(&["\"nosuch\"", "fashion-mnist, digits, cifar10"]);
    run("--board host --inputs empty").refused(&["empty", "test images"]);
    run("--board host --inputs fashion-mnist --images 20000").refused(&["fashion-mnist", "images"]);
    run("--board host --inputs fashion-mnist --images 0").refused(&[]);
    run("--board host --inputs fashion-mnist --mean 1,2").refused(&["--mean", "2 values", "1 channel"]);
    run("--board arduino --inputs fashion-mnist").refused(&["\"arduino\"", "mps2-an386", "netduinoplus2"]);
    dir.skimp("run nosuch --board host --inputs fashion-mnist").refused(&["error: nosuch: "]);
}

#[test]
fn refusals_name_the_file_or_flag_at_fault() {
    let dir = Dir::new();
    build(&dir, "exact", "a.skimp");
    dir.write("short", vec![0; 2 * INPUT - 1]);
    dir.skimp("run a.skimp --board host --inputs short").refused(&["short: "]);
    let line = "run a.skimp --board host --inputs fashion-mnist --images 0";
    dir.skimp(line).refused(&["--images"]);
    dir.skimp("flash --board netduinoplus2 short").refused(&["short: "]);
}
