#include "src/app/cli.h"

int main(int argc, char** argv) {
  return jackdaw::app::run_command_line(argc, argv);
}
