//! `flash`: firmware and image on emulated boards.

use crate::*;

#[test]
fn without_probe_rs_the_way_to_it_is_shown() {
    let dir = Dir::new();
    build(&dir, "exact", "a.skimp");
    dir.folder("bin");
    let flash = |rest: &str| dir.skimp(&format!("flash {rest}")).env("PATH", dir.path("bin"));
    flash("--board netduinoplus2 a.skimp").refused(&["probe-rs", "PATH", "cargo install probe-rs-tools"]);
    flash("--board mps2-an386 a.skimp").refused(&["probe-rs", "mps2-an386", "QEMU"]);
    flash("--board arduino a.skimp").refused(&["\"arduino\"", "mps2-an386, "]);
    flash("--board netduinoplus2 nosuch").refused(&["error: nosuch: "]);
    dir.write("text", "no image");
    flash("--board netduinoplus2 text").refused(&["not a skimp image"]);
}

/// With a `probe-rs` that only writes down what it is asked for.
#[test]
#[cfg(unix)]
fn an_image_goes_to_its_place_in_flash() {
    use std::os::unix::fs::PermissionsExt;
    let dir = Dir::new();
    build(&dir, "exact", "a.skimp");
    let install = |script: &str| {
        dir.write("bin/probe-rs", format!("#!/bin/sh\necho \"$@\" >> asked\n{script}\n"));
        let executable = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(dir.path("bin/probe-rs"), executable).unwrap();
    };
    let flash = || {
        let line = "flash --board netduinoplus2 --image-only a.skimp";
        dir.skimp(line).env("PATH", dir.path("bin"))
    };
    install("");
    let run = flash().ok();
    run.check(run.stdout == "netduinoplus2 now holds a.skimp\n", "should say what it did");
    let asked = dir.text("asked");
    let asked: Vec<&str> = asked.lines().collect();
    assert_eq!(asked[0], "list");
    assert!(asked[1].starts_with("download ") && asked[1].ends_with("0x8040000 a.skimp"), "{asked:?}");
    assert!(asked[2].starts_with("reset ") && asked.len() == 3, "{asked:?}");

    for (script, mention) in
        [("echo No debug probes were found.", "no debug probe"), ("echo broken >&2; exit 3", "broken")]
    {
        install(script);
        let run = flash().run();
        run.check(run.stderr.contains("error: probe-rs") && run.stderr.contains(mention), mention);
        run.check(run.stdout.is_empty(), "should not claim success");
    }
}
