// What the terminal at a file descriptor can show.
#pragma once

namespace jackdaw::app {

// A tty, and neither NO_COLOR nor TERM=dumb in the environment.
bool wants_colour(int fd);
// Columns of the tty, `fallback` when it is none.
int terminal_width(int fd, int fallback);
// Its lines.
int terminal_height(int fd, int fallback);

}  // namespace jackdaw::app
