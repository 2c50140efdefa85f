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

#[test]
fn an_image_is_written_to_files() {
    let dir = Dir::new();
    // One whose tables the smallest board has no room for.
    build(&dir, "m789 --tables fastest", "a.skimp");
    let image = dir.read("a.skimp");
    let flash = |rest: &str| dir.skimp(&format!("flash a.skimp --image-only {rest}"));
    let run = flash("--board pico2 --out new/a.bin").ok();
    run.check(
        run.stdout == "new/a.bin: the image for pico2, from address 0x10020000 on\n",
        "should say what it wrote",
    );
    assert!(dir.read("new/a.bin") == image);
    flash("--board pico2 --out a.uf2").ok();
    assert_eq!(dir.read("a.uf2").len(), image.len().div_ceil(256) * 512);
    flash("--board mps2-an505 --out a.img --format hex").ok();
    assert!(dir.text("a.img").starts_with(":020000041010DA\n:10000000"), "begins at 0x10100000");
    flash("--board mps2-an505 --out a.elf").ok();
    assert!(dir.read("a.elf").starts_with(b"\x7fELF"));

    flash("--board pico2 --out b").refused(&["b: ", "elf, hex, bin and uf2", "--format"]);
    flash("--board microbit --out b.uf2").refused(&["microbit", "UF2", "--format"]);
    flash("--board stm32vldiscovery --out b.hex").refused(&["a.skimp", "has room for 73728"]);
    flash("--board pico2 --out new").refused(&["new: "]);
    flash("--board pico2 --format hex").misused(&["--out"]);
    dir.write("text", "no image");
    dir.skimp("flash text --board pico2 --out b.bin").refused(&["text: ", "not a skimp image"]);
}
