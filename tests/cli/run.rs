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

#[test]
fn boards_without_an_emulation_and_bad_ports_are_refused() {
    let dir = Dir::new();
    build(&dir, "exact", "a.skimp");
    let run = |rest: &str| dir.skimp(&format!("run a.skimp --inputs fashion-mnist --images 1 {rest}"));
    run("--board pico").refused(&["QEMU has no pico", "--port", "mps2-an386"]);
    run("--board pico --port /dev/nosuch").refused(&["/dev/nosuch: --port can't be opened"]);
    run("--board host --port /dev/nosuch").refused(&["--port", "--board"]);
    run("--board pico --baud 9600").misused(&["--port"]);
    run("--board pico --port /dev/nosuch --baud fast").misused(&["--baud"]);
    dir.skimp("demo --board pico").refused(&["QEMU has no pico"]);
}

/// Whatever comes from a port is either an answer or leads to an error, in time.
#[cfg(unix)]
#[test]
fn silence_and_nonsense_from_a_port_are_errors() {
    use serialport::{SerialPort, TTYPort};
    use std::io::{Read, Write};
    let dir = Dir::new();
    build(&dir, "exact", "a.skimp");
    std::thread::scope(|scope| {
        for (nonsense, mention) in [(&b""[..], "nothing has come"), (b"login: \0\xff\0", "else than skimp")] {
            let dir = &dir;
            scope.spawn(move || {
                let (mut board, host) = TTYPort::pair().unwrap();
                let port = host.name().unwrap();
                // The other end has to stay open, but locked it can't be opened again.
                let _open = std::fs::File::options().read(true).write(true).open(&port).unwrap();
                drop(host);
                let (stop, stopped) = std::sync::mpsc::channel::<()>();
                let answering = std::thread::spawn(move || {
                    board.set_timeout(Duration::from_millis(20)).unwrap();
                    while stopped.try_recv() != Err(std::sync::mpsc::TryRecvError::Disconnected) {
                        if board.read(&mut [0; 600]).is_ok() {
                            board.write_all(nonsense).unwrap();
                        }
                    }
                });
                let line =
                    format!("run a.skimp --board pico --inputs fashion-mnist --images 1 --port {port}");
                dir.skimp(&line).refused(&["pico: no answer within", mention, &port]);
                drop(stop);
                answering.join().unwrap();
            });
        }
    });
}
