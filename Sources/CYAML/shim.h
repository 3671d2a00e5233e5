#ifndef BAILIFF_CYAML_H
#define BAILIFF_CYAML_H
#include <yaml.h>
#endif
