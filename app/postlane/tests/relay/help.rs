//! The program's help, held by files.

use crate::golden::golden;
use crate::relay::Home;

const COMMANDS: [&[&str]; 66] = [
    &[],
    &["bounce"],
    &["bounce", "parse"],
    &["serve"],
    &["send"],
    &["receiver"],
    &["reload"],
    &["rehearse"],
    &["explain"],
    &["classify"],
    &["rules"],
    &["rules", "check"],
    &["rules", "try"],
    &["queue"],
    &["queue", "list"],
    &["queue", "show"],
    &["queue", "summary"],
    &["queue", "retry"],
    &["queue", "deliver-now"],
    &["queue", "hold"],
    &["queue", "release"],
    &["queue", "bounce"],
    &["queue", "delete"],
    &["log"],
    &["trace"],
    &["lanes"],
    &["lanes", "list"],
    &["lanes", "show"],
    &["lanes", "pause"],
    &["lanes", "hold-new"],
    &["lanes", "drain"],
    &["lanes", "resume"],
    &["lanes", "rollback"],
    &["lanes", "pin"],
    &["lanes", "unpin"],
    &["lanes", "exclude"],
    &["lanes", "include"],
    &["lanes", "restart-plan"],
    &["lanes", "restart-plan", "start"],
    &["lanes", "restart-plan", "stop"],
    &["lanes", "restart-plan", "sign"],
    &["suppression"],
    &["suppression", "list"],
    &["suppression", "show"],
    &["suppression", "add"],
    &["suppression", "remove"],
    &["suppression", "import"],
    &["suppression", "export"],
    &["token"],
    &["token", "new"],
    &["token", "list"],
    &["token", "revoke"],
    &["view"],
    &["view", "list"],
    &["view", "save"],
    &["view", "remove"],
    &["audit"],
    &["webhook"],
    &["webhook", "add"],
    &["webhook", "list"],
    &["webhook", "remove"],
    &["webhook", "test"],
    &["webhook", "pause"],
    &["webhook", "resume"],
    &["webhook", "replay"],
    &["webhook", "rotate-secret"],
];

#[test]
fn every_command_explains_itself() {
    let home = Home::new();
    for command in COMMANDS {
        let arguments: Vec<&str> = command.iter().copied().chain(["--help"]).collect();
        let output = home.command(&arguments).env_remove("COLUMNS").output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{command:?}");
        let name = ["postlane"].iter().chain(command).copied().collect::<Vec<_>>().join("-");
        golden(&format!("help/{name}.txt"), &String::from_utf8(output.stdout).unwrap());
    }
}
