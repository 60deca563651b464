//! The only loop.

use postlane_mail::Instant;

use crate::engine::Engine;
use crate::input::Input;
use crate::output::Output;

/// What is around the engine: sockets and disks, or models and virtual time.
pub trait World {
    /// What an attempt leaves behind.
    type Evidence;

    /// The time, read once per turn.
    fn now(&mut self) -> Instant;

    /// Does what the engine asks for, or begins it. Called in the order of asking.
    fn perform(&mut self, output: Output<Self::Evidence>);

    /// Waits until something happened or `deadline` has come, and gives everything that
    /// happened, in order. What was performed since the last call must be under way before it
    /// waits. `None` ends the loop.
    fn next(&mut self, deadline: Option<Instant>) -> Option<Vec<Input<Self::Evidence>>>;

    /// A look at the engine between two turns, for those who ask what is waiting.
    fn look(&mut self, engine: &Engine<Self::Evidence>);
}

/// Runs the engine in the world until the world ends. The server runs it against sockets and
/// disks, the rehearsal against a seeded world; the engine cannot tell which.
pub fn drive<W: World>(engine: &mut Engine<W::Evidence>, world: &mut W) {
    let mut now = world.now();
    loop {
        while let Some(output) = engine.poll() {
            world.perform(output);
        }
        world.look(engine);
        let Some(inputs) = world.next(engine.deadline(now)) else { return };
        now = world.now();
        for input in inputs {
            engine.handle(now, input);
        }
        engine.wake(now);
    }
}
