# Writes the bytes of a file as a C array, with CMake alone, so that cross builds need no tool of the host.
#     cmake -D INPUT=data/digits.txt -D OUTPUT=digits_data.c -D NAME=lab_digits_data -P embed.cmake
file(READ "${INPUT}" bytes HEX)
string(REGEX REPLACE "(................................................................)" "\\1\n" bytes "${bytes}")
string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${bytes}")
file(WRITE "${OUTPUT}" "#include \"${NAME}.h\"\n\nconst unsigned char ${NAME}[] = {\n${bytes}};\n"
    "const size_t ${NAME}_size = sizeof ${NAME};\n")
