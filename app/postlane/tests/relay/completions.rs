//! What shells and `man` are given.

use std::fs;
use std::process::Command;

use crate::relay::Home;

#[test]
fn a_shell_completes_our_commands() {
    let home = Home::new();
    let output = home.command(&["completions", "bash"]).output().unwrap();
    assert!(output.status.success());
    let script = home.write("postlane.bash", &String::from_utf8(output.stdout).unwrap());
    let typed = format!(
        "source {script}; COMP_WORDS=(postlane lanes restart-p); COMP_CWORD=2; \
         _postlane postlane restart-p lanes; echo \"${{COMPREPLY[@]}}\""
    );
    let output = Command::new("bash").args(["-c", &typed]).output().unwrap();
    assert_eq!(String::from_utf8(output.stdout).unwrap(), "restart-plan\n");
}

#[test]
fn each_command_has_its_manual_page() {
    let home = Home::new();
    let pages = home.path().join("man1");
    let pages = pages.to_str().unwrap();
    fs::write(pages, "").unwrap();
    let in_the_way = home.command(&["manual", pages]).output().unwrap();
    assert_eq!(in_the_way.status.code(), Some(2));
    fs::remove_file(pages).unwrap();
    assert!(home.command(&["manual", pages]).output().unwrap().status.success());
    for (page, says) in [("postlane.1", "postlane\\-queue(1)"), ("postlane-queue-list.1", "NAME")] {
        let text = fs::read_to_string(format!("{pages}/{page}")).unwrap();
        assert!(text.contains(says), "{page}: {text}");
    }
}
