//! One-time codes that travel by letter. The outbox keeps letters for days, and a code in it would let in whoever reads
//! the database. So no code is kept, sealed or not: it is derived, with a key of the installation, from the id of what it
//! opens, when that is made and again when the letter is sent. There is nothing to blank afterwards, a letter that is
//! late never carries a code that was withdrawn, and the database has what it always had: the keyed tag of the code.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use countersign_model::{digest::Digest, id::InvitationId};
use countersign_store::Invitation;
use zeroize::Zeroizing;

use crate::{app::App, keys::Purpose};

/// The code of a new invitation.
pub(crate) fn of_new(app: &App, id: InvitationId) -> Zeroizing<String> {
    text(&app.keys.tag(Purpose::Code, &name(id)))
}

/// The code of an invitation that is open. `None` where the key it was made with is gone: then nobody has its code.
pub(crate) fn of_open(app: &App, invitation: &Invitation) -> Option<Zeroizing<String>> {
    let codes = app.keys.tags(Purpose::Code, &name(invitation.id));
    codes.iter().map(text).find(|code| {
        let tags = app.keys.tags(Purpose::Code, code.as_bytes());
        tags.contains(&invitation.code)
    })
}

/// What the key is asked for. No code has this form, so no stored tag is a code.
fn name(id: InvitationId) -> Vec<u8> {
    format!("code/1/{id}").into_bytes()
}

fn text(tag: &Digest) -> Zeroizing<String> {
    Zeroizing::new(URL_SAFE_NO_PAD.encode(tag.as_bytes()))
}
